/** Measures a row: ours and the peer's in turn, so that both have the same weather. */
import { loadavg } from 'node:os';
import { Stage } from '../test/evidence/stage.js';
import type { Figures, MeasuredRow } from './report.js';
import { MissingProgram, type Pair, type Row } from './row.js';
import { compare, summarize } from './statistics.js';

export interface Effort {
  /** How many pairs. */
  readonly rounds: number;
  /** Is there one before, which does not count? */
  readonly warmUp: boolean;
  /** Are limits measured, too? */
  readonly limits: boolean;
  /** Gets a line for each of them. */
  say(line: string): void;
}

/** Measures pairs. What a row needs and this machine does not have is told, and is its result. */
export async function measureRow(row: Row, effort: Effort): Promise<MeasuredRow> {
  const { id, work, peer, compared, reach, limit } = row;
  const facts = { id, work, peer, compared, reach, limit };
  try {
    return { ...facts, ...(await measurePairs(row, effort)) };
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    effort.say(`NOT MEASURED: ${id}, ${error.message}`);
    return { ...facts, missing: error.message };
  }
}

async function measurePairs(row: Row, { rounds, warmUp, limits, say }: Effort): Promise<Figures> {
  const stage = new Stage();
  try {
    const pair = await row.open(stage);
    if (warmUp) await measureOne(pair, false);
    const ours: number[] = [];
    const peer: number[] = [];
    const limit: number[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      const one = await measureOne(pair, round % 2 === 0);
      ours.push(one.ours);
      peer.push(one.peer);
      if (limits && pair.limit !== undefined) limit.push(await pair.limit());
      const [figure, other] = [one.ours, one.peer].map((each) => each.toPrecision(4));
      say(`${row.id} ${String(round)}/${String(rounds)}: ${String(figure)}, peer ${String(other)}`);
    }
    return {
      with: pair.versions ?? {},
      rounds,
      ours: summarize(ours),
      theirs: summarize(peer),
      ratio: compare(ours, peer),
      ...(limit.length > 0 && { limit_ratio: compare(limit, peer) }),
      load_average: loadavg()[0] ?? NaN,
    };
  } finally {
    await stage.close();
  }
}

/** Whoever comes second has perhaps an advantage, so it is not always the same. */
async function measureOne(pair: Pair, peerFirst: boolean): Promise<{ ours: number; peer: number }> {
  const first = peerFirst ? await pair.peer() : undefined;
  const ours = await pair.ours();
  return { ours, peer: first ?? (await pair.peer()) };
}
