/** `mx2s check`: what its arguments and flags ask for. */
import type { Command } from 'commander';
import { REQUIREMENT_IDS, isRequirementId, type RequirementId } from '../check/requirements.js';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { parseProfileName, type ProfileName } from '../config/profiles.js';
import { parseDurationMs } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { parseEventType, type EventType } from '../todevice/message.js';
import {
  configureCheckFederation,
  parseCheckFederation,
  type CheckFederation,
} from './check-federation-options.js';
import { addExamples, type Typed } from './define.js';
import type { Globals } from './globals.js';

export const REPORT_FORMATS = ['text', 'tap', 'junit', 'json'] as const;

export type ReportFormat = (typeof REPORT_FORMATS)[number];

export type CheckOptions = ListOptions | UnaimedOptions;

interface CommonOptions {
  /** Undefined: text on a terminal, JSON elsewhere. */
  readonly format: ReportFormat | undefined;
  /** In the order of their numbers. */
  readonly requirements: readonly RequirementId[];
}

/** Tell what can be looked at; ask nobody. */
export interface ListOptions extends CommonOptions {
  readonly action: 'list';
  readonly format: 'text' | 'json' | undefined;
}

export interface RunOptions extends UnaimedOptions {
  readonly homeserver: string;
}

export interface UnaimedOptions extends CommonOptions {
  readonly action: 'run';
  /** As `parseHomeserverUrl` gives it; default: that of the credentials. */
  readonly homeserver: string | undefined;
  /** The profile of the second account. */
  readonly other: ProfileName | undefined;
  /** A type that the server under test is said to answer. */
  readonly probeType: EventType;
  /** How long to wait for what should come. */
  readonly waitMs: number;
  /** The second server; undefined for none. */
  readonly federation: CheckFederation | undefined;
  readonly allowRegister: boolean;
  /** Every `fail` and `inconclusive` counts. */
  readonly strict: boolean;
  readonly sharedDevice: boolean;
}

export function configureCheck(command: Command): void {
  command
    .argument('[url]', 'the homeserver to look at, where the accounts are (default: that of the credentials)')
    .option('--list', 'say what can be looked at, and how; asks nobody')
    .option('--format <text|tap|junit|json>', 'how to report (default: text on a terminal, else json)')
    .option('--only <R-9,…>', 'these requirements only')
    .option('--other <profile>', 'the second account (default: MX2S_OTHER_ACCESS_TOKEN)')
    .option(
      '--probe-type <type>',
      'a type that the homeserver answers with the nonce it got (default: mx2s.ping)',
    )
    .option('--timeout <duration>', 'how long to wait for what should come (default: 5s)')
    .option('--allow-register', 'make accounts where a probe needs it, and deactivate them')
    .option(
      '--strict',
      'every fail and every inconclusive counts, not only a must of the proposal or the specification',
    )
    .option('--shared-device', 'read although another client uses a device, and would lose messages');
  configureCheckFederation(command);
  command.addHelpText('after', VERDICT_HELP);
  addExamples(command, EXAMPLES);
}

/** @throws UsageError, InvalidInputError */
export function parseCheckOptions({ args: [url], flags, globals }: Typed): CheckOptions {
  const common = {
    format: parseFormat(flags.text('format'), globals),
    requirements: parseOnly(flags.text('only')),
  };
  if (flags.given('list')) return { action: 'list', ...common, format: parseListFormat(common.format) };
  const other = flags.text('other');
  return {
    action: 'run',
    ...common,
    homeserver: url ? parseHomeserverUrl(url) : undefined,
    other: other === undefined ? undefined : parseProfileName(other),
    probeType: parseEventType(flags.text('probeType') ?? 'mx2s.ping'),
    waitMs: parseDurationMs(flags.text('timeout') ?? '5s', '--timeout'),
    federation: parseCheckFederation(flags),
    allowRegister: flags.given('allowRegister'),
    strict: flags.given('strict'),
    sharedDevice: flags.given('sharedDevice'),
  };
}

function parseFormat(
  typed: string | undefined,
  { format }: Pick<Globals, 'format'>,
): ReportFormat | undefined {
  if (typed === undefined) return format;
  const found = REPORT_FORMATS.find((each) => each === typed);
  if (found === undefined) {
    throw new UsageError(`--format: '${typed}' is not one of ${REPORT_FORMATS.join(', ')}`);
  }
  if (format !== undefined && format !== found) {
    throw new UsageError(`--format ${found} and --${format} exclude each other`, {
      hint: 'give one of them',
    });
  }
  return found;
}

function parseListFormat(format: ReportFormat | undefined): ListOptions['format'] {
  if (format !== 'tap' && format !== 'junit') return format;
  throw new UsageError(`--list has no results that --format ${format} could tell`, {
    hint: 'leave one of them out',
  });
}

function parseOnly(typed: string | undefined): readonly RequirementId[] {
  if (typed === undefined) return REQUIREMENT_IDS;
  const wanted = typed.split(',').map((text) => text.trim().toUpperCase());
  for (const text of wanted) {
    if (isRequirementId(text)) continue;
    throw new InvalidInputError(`--only: ${JSON.stringify(text)} is no requirement that can be looked at`, {
      at: '--only',
      hint: `they are ${REQUIREMENT_IDS[0]} to ${REQUIREMENT_IDS.at(-1)}: see mx2s check --list`,
    });
  }
  return REQUIREMENT_IDS.filter((id) => wanted.includes(id));
}

const VERDICT_HELP = `
Verdicts:
  pass, fail    what was seen shows it
  inconclusive  what was seen proves nothing, silence above all
  skipped       not looked at: why not, or which flag it takes
It ends with 1 when a must of the proposal or of the specification fails; what is a reading of ours does not count.
With --list, seen: shows by itself; by reply: only where the homeserver answers --probe-type; never: not from outside.`;
const EXAMPLES = [
  'mx2s check',
  'mx2s check https://matrix.example.org',
  'mx2s check https://matrix.example.org --other bob --format junit > check.xml',
  'mx2s serve -- mx2s check --text',
  'mx2s serve --federation-port 0 --federation-insecure -- mx2s check --federation --federation-insecure',
  'mx2s check --list',
];
