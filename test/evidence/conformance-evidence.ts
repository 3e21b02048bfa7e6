/** What `mx2s check` said of several homeservers, and what has to be true of it to be evidence. Pure. */
import { REQUIREMENT_IDS, type RequirementId } from '../../src/check/requirements.js';

export interface ConformanceEvidence {
  readonly recorded_at: string;
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly servers: readonly CheckedServer[];
}

export interface CheckedServer {
  /** E.g. `Synapse with mx2s gateway`. */
  readonly name: string;
  /** How it was set up, for people. */
  readonly setup: string;
  /** As one types it, with the accounts in the environment. */
  readonly command: string;
  readonly exit_code: number;
  /** One for each requirement, as `mx2s check --format json` prints them. */
  readonly results: readonly CheckResult[];
}

/** A line of `mx2s check --format json`. */
export interface CheckResult {
  readonly requirement: RequirementId;
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'skipped';
  readonly level: string;
  readonly basis: string;
  readonly title: string;
  readonly seen: string;
}

/** A line each. */
export function conformanceFaults({ servers }: ConformanceEvidence): string[] {
  const names = servers.map(({ name }) => name);
  const missing = NEEDED.filter((name) => !names.includes(name)).map((name) => `${name} was not looked at`);
  return [...missing, ...servers.flatMap(serverFaults)];
}

function serverFaults({ name, command, exit_code: exitCode, results }: CheckedServer): string[] {
  const said = results.map(({ requirement }) => requirement).join(' ');
  const faults: string[] = [];
  if (said !== REQUIREMENT_IDS.join(' ')) faults.push(`${name}: the results are for ${said}`);
  for (const { requirement, verdict, seen } of results) {
    if (seen === '') faults.push(`${name}: ${requirement} does not say why it is ${verdict}`);
    if (name === OURS && !['pass', 'skipped'].includes(verdict)) {
      faults.push(`${name}: ${requirement} is ${verdict}: ${seen}`);
    }
  }
  const hasFailed = results.some(
    ({ verdict, level, basis }) => verdict === 'fail' && level === 'must' && basis !== 'reading',
  );
  if (exitCode !== Number(hasFailed)) faults.push(`${name}: check ended with ${String(exitCode)}`);
  if (SECRET.test(command + JSON.stringify(results))) faults.push(`${name}: there is a token`);
  return faults;
}

/** A line each: where the transcript of a server says otherwise than the table. */
export function transcriptFaults(
  { servers }: ConformanceEvidence,
  transcripts: Readonly<Record<string, string>>,
): string[] {
  return servers.flatMap(({ name, results }) => {
    const transcript = transcripts[name] ?? '';
    const verdicts = [...transcript.matchAll(/^(R-\d+) +(\w+)/gm)].map(
      ([, id, verdict]) => `${id ?? ''} ${verdict ?? ''}`,
    );
    const expected = results.map(({ requirement, verdict }) => `${requirement} ${verdict}`);
    const differing = expected.filter((each) => !verdicts.includes(each));
    return [
      ...differing.map((each) => `${name}: ${each} is not in the transcript`),
      ...(SECRET.test(transcript) ? [`${name}: there is a token in the transcript`] : []),
    ];
  });
}

/** Where the transcript of a server is kept, in `docs/evidence/`. */
export function transcriptFile({ name }: CheckedServer): string {
  return `check-${name.toLowerCase().replaceAll(' ', '-')}.txt`;
}

/** Who differs where the proposal is open: the verdict of each server on a requirement. */
export function verdictsOn(
  requirement: RequirementId,
  { servers }: ConformanceEvidence,
): { readonly server: string; readonly result: CheckResult }[] {
  return servers.flatMap(({ name, results }) => {
    const result = results.find((each) => each.requirement === requirement);
    return result === undefined ? [] : [{ server: name, result }];
  });
}

export const OURS = 'mx2s serve';

/** Dendrite needs Go, and may be missing. */
const NEEDED = [OURS, 'Synapse', 'Synapse with mx2s gateway'];

/** How Synapse and `mx2s serve` begin their access tokens, and what stands before those of others, and passwords. */
const SECRET = /syt_|mx2s_a_|Bearer (?!\*)|"(?:access_token|refresh_token|password)":"(?!\*)/;
