/** What a million identifiers cost: rows 8 and 9. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifierLines } from '../../src/bench/identifiers.js';
import { BINARY, runBinary } from '../../test/kit/binary.js';
import type { Stage } from '../../test/evidence/stage.js';
import { openHome } from '../home.js';
import { rumaValidator } from '../programs.js';
import type { Pair, Row } from '../row.js';
import { wallTimeMs } from '../shell.js';

export const VALIDATION: readonly Row[] = [
  {
    id: '8',
    work: '`mx2s validate-id --count -` of 1,000,000 user IDs',
    peer: 'ruma validator, as MSC4246 has it',
    compared: 'wall time',
    reach: { at_most: 1 },
    rounds: 11,
    isGuarded: true,
    open: (stage) => openValidation(stage, ['--count'], []),
  },
  {
    id: '9',
    work: '`mx2s validate-id --json -` of 1,000,000 user IDs, a JSON line each',
    peer: 'ruma validator, `1` or `0` each',
    compared: 'wall time',
    reach: { at_most: 4 },
    rounds: 7,
    isGuarded: true,
    open: (stage) => openValidation(stage, ['--json'], ['-v']),
  },
];

async function openValidation(
  stage: Stage,
  flags: readonly string[],
  peerFlags: readonly string[],
): Promise<Pair> {
  const ruma = await rumaValidator();
  const env = await openHome(stage);
  const stdin = join(env.HOME, 'ids.txt');
  const lines = Buffer.concat([...identifierLines('user', COUNT, COUNT)]);
  await writeFile(stdin, lines);
  await expectAgreement(env.HOME, lines, ruma.path);
  return {
    versions: ruma.versions,
    // some of them are not valid
    ours: () => wallTimeMs({ command: [BINARY, 'validate-id', ...flags, '-'], env, stdin, status: 1 }),
    peer: () => wallTimeMs({ command: [ruma.path, ...peerFlags], env, stdin }),
  };
}

/** @throws Error when they do not do the same */
async function expectAgreement(home: string, stdin: Uint8Array, ruma: string): Promise<void> {
  const ours = await runBinary(['validate-id', '--count', '-'], { home, stdin });
  const theirs = await runBinary([], { home, stdin, program: ruma });
  const [counted, agreed] = [ours, theirs].map(({ stdout }) => JSON.parse(stdout) as Counted);
  if (counted?.total !== COUNT || counted.total !== agreed?.total || counted.valid !== agreed.valid) {
    throw new Error(`they do not agree:\n${ours.stdout}${theirs.stdout}`);
  }
}

interface Counted {
  readonly total: number;
  readonly valid: number;
}

const COUNT = 1_000_000;
