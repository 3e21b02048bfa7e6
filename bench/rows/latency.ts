/** How long an event takes from the server to the line on stdout: row 7. */
import { BINARY, runBinary } from '../../test/kit/binary.js';
import { Stage } from '../../test/evidence/stage.js';
import { script, wireProgram, type Program } from '../programs.js';
import type { Row } from '../row.js';
import { startSink } from '../sink.js';

const NODE_ALONE = "A long poll with Node's own client and nothing around it";

export const LATENCY: readonly Row[] = [
  {
    id: '7a',
    work: 'server to stdout line of `mx2s listen`, at 500 events/s, p50',
    peer: 'bare undici long poll',
    compared: 'latency',
    reach: { at_most: 1.2 },
    rounds: 7,
    limit: {
      who: NODE_ALONE,
      reason:
        'What is ours comes on top: JSON without loss, a selection, a write that is awaited, in code that 500 events a second ' +
        'hardly warm. From run to run both ratios differ by a fifth.',
    },
    isGuarded: false, // what else the machine does is too much of it
    open: latencyRow('p50_ms'),
  },
  {
    id: '7b',
    work: 'the same, p99',
    peer: 'bare undici long poll',
    compared: 'latency',
    reach: { at_most: 1.2 },
    rounds: 7,
    limit: {
      who: NODE_ALONE,
      reason:
        'So it is not the client alone, and what the rest is is not known. It is not the collector (0.3 ms at most, ten times a ' +
        'second, by --trace-gc), and not the position on disk (on a memory file system it is the same).',
    },
    isGuarded: false, // a hiccup of the machine is all of it
    open: latencyRow('p99_ms'),
  },
];

type Percentile = 'p50_ms' | 'p99_ms';

function latencyRow(percentile: Percentile): Row['open'] {
  return async () => {
    const stopwatch = await wireProgram('latency');
    const undici = await script('undici-listen', 'undici');
    const bare = await script('node-http-listen');
    const count = String(WARM_UP + COUNTED);
    const measure = (command: readonly string[]) => latencyMs(stopwatch, command, percentile);
    return {
      versions: { ...stopwatch.versions, ...undici.versions },
      ours: () => measure([BINARY, 'listen', '--json', '--count', count]),
      peer: () => measure(['node', undici.path, count]),
      limit: () => measure(['node', bare.path, count]),
    };
  };
}

/** Each measurement has a sink of its own, whose events begin to come when they are waited for. */
async function latencyMs(
  stopwatch: Program,
  command: readonly string[],
  percentile: Percentile,
): Promise<number> {
  const stage = new Stage();
  try {
    const coming = { perSecond: PER_SECOND, total: WARM_UP + COUNTED };
    const { env } = await startSink(stage, { coming });
    const script = `"$@" | ${stopwatch.path} -warm-up ${String(WARM_UP)} -count ${String(COUNTED)}`;
    const { code, stdout, stderr } = await runBinary(['-c', script, 'sh', ...command], {
      program: '/bin/sh',
      home: env.HOME,
      env,
    });
    if (code !== 0) throw new Error(`${command.join(' ')} did not listen to the end; it said:\n${stderr}`);
    return (JSON.parse(stdout) as Record<Percentile, number>)[percentile];
  } finally {
    await stage.close();
  }
}

const PER_SECOND = 500;
/** A second, so that what is measured is warm. */
const WARM_UP = 500;
const COUNTED = 2000;
