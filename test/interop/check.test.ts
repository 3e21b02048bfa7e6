/** `mx2s check` tells of real homeservers what is true of them. */
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { REQUIREMENT_IDS, type Basis, type RequirementId } from '../../src/check/requirements.js';
import type { CheckedServer } from '../evidence/conformance-evidence.js';
import { recordConformance } from '../evidence/record-conformance.js';
import { dendriteProgram } from './kit/dendrite-program.js';

/** What a homeserver is known to do; what is not named here, it does as it should. */
interface Known {
  /** Fails, and whose demand it fails. */
  readonly fails: Partial<Record<RequirementId, Basis>>;
  /** Cannot be told, because nobody answers. */
  readonly silent: readonly RequirementId[];
  /** Cannot be looked at. */
  readonly skipped: readonly RequirementId[];
}

const NEVER: readonly RequirementId[] = ['R-21', 'R-31', 'R-34', 'R-37'];
const BY_REPLY: readonly RequirementId[] = [
  ...(['R-17', 'R-19', 'R-25', 'R-26', 'R-27', 'R-29', 'R-32', 'R-33', 'R-35', 'R-36'] as const),
];
/** Whoever does not know MSC4246 sends on what is asked for, whatever the device, and gives the device "" to anybody. */
const UNAWARE = { 'R-10': 'proposal', 'R-12': 'reading', 'R-13': 'reading', 'R-24': 'reading' } as const;
/** It keeps no message_id. */
const DENDRITE = { ...UNAWARE, 'R-18': 'spec' } as const;

const KNOWN: Readonly<Record<string, Known>> = {
  'mx2s serve': { fails: {}, silent: [], skipped: NEVER },
  Synapse: { fails: UNAWARE, silent: BY_REPLY, skipped: NEVER },
  'Synapse with mx2s gateway': { fails: UNAWARE, silent: [], skipped: NEVER },
  // it has no sliding sync
  Dendrite: {
    fails: DENDRITE,
    silent: BY_REPLY.filter((id) => id !== 'R-26'),
    skipped: [...NEVER, 'R-26'],
  },
  // the devices that "*" is for are all but "", and the account has a profile
  'Dendrite with mx2s gateway': {
    fails: { ...DENDRITE, 'R-17': 'reading', 'R-23': 'reading' },
    silent: [],
    skipped: [...NEVER, 'R-26'],
  },
};

const found = inject('synapse');
const dendrite = await dendriteProgram(process.env);

describe.runIf(!('missing' in found))('mx2s check --federation', () => {
  let servers: readonly CheckedServer[];
  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    ({ servers } = (await recordConformance({ python: found.python, dendrite })).evidence);
  }, 600_000);

  for (const [name, known] of Object.entries(KNOWN)) {
    it.runIf(!(name.startsWith('Dendrite') && 'missing' in dendrite))(`knows ${name}`, () => {
      const server = servers.find((each) => each.name === name);
      const said = server?.results.map(({ requirement, verdict, basis }) => [
        requirement,
        verdict === 'fail' ? `fail, ${basis}` : verdict,
      ]);
      expect(Object.fromEntries(said ?? [])).toEqual(
        Object.fromEntries(REQUIREMENT_IDS.map((id) => [id, verdictOf(id, known)])),
      );
      const isRefuted = Object.values(known.fails).some((basis) => basis !== 'reading');
      expect(server?.exit_code).toBe(isRefuted ? 1 : 0);
    });
  }
});

function verdictOf(id: RequirementId, { fails, silent, skipped }: Known): string {
  if (fails[id] !== undefined) return `fail, ${fails[id]}`;
  if (silent.includes(id)) return 'inconclusive';
  return skipped.includes(id) ? 'skipped' : 'pass';
}
