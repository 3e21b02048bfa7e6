/** What a shell waits for each time: rows 1 to 4. */
import { BINARY } from '../../test/kit/binary.js';
import type { Row } from '../row.js';
import { wallTimeMs, type Run } from '../shell.js';
import { openHome } from '../home.js';

export const START_UP: readonly Row[] = [
  {
    id: '1a',
    work: '`mx2s --version`, npm package',
    peer: '`node -e 0`',
    compared: 'wall time',
    reach: { at_most: 1.3 },
    rounds: 15,
    isGuarded: true,
    open: againstBareNode([BINARY, '--version']),
  },
  {
    id: '1b',
    work: '`mx2s validate-id` of one ID, npm package',
    peer: '`node -e 0`',
    compared: 'wall time',
    reach: { at_most: 1.3 },
    rounds: 15,
    isGuarded: true,
    open: againstBareNode([BINARY, 'validate-id', '@:example.org']),
  },
];

function againstBareNode(command: Run['command']): Row['open'] {
  return async (stage) => {
    const env = await openHome(stage);
    return {
      ours: () => wallTimeMs({ command, env, times: TIMES }),
      peer: () => wallTimeMs({ command: ['node', '-e', '0'], env, times: TIMES }),
    };
  };
}

/** Runs in one measurement: enough that the shell around them counts for little. */
const TIMES = 5;
