/** Measures a row: ours and the peer's in turn, so that both have the same weather. */
import { loadavg } from 'node:os';
import { Stage } from '../test/evidence/stage.js';
import type { Figures, MeasuredRow } from './report.js';
import { MissingProgram, type Row } from './row.js';
import { compare, summarize } from './statistics.js';

export interface Effort {
  /** How many pairs. */
  readonly rounds: number;
  /** Are limits measured, too? */
  readonly limits: boolean;
  /** Gets a line for each of them. */
  say(line: string): void;
}

/** Measures pairs. What a row needs and this machine does not have is told, and is its result. */
export async function measureRow(row: Row, effort: Effort): Promise<MeasuredRow> {
  const { id, work, peer, compared, reach } = row;
  const facts = { id, work, peer, compared, reach };
  try {
    return { ...facts, ...(await measurePairs(row, effort)) };
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    effort.say(`NOT MEASURED: ${id}, ${error.message}`);
    return { ...facts, missing: error.message };
  }
}

async function measurePairs(row: Row, { rounds, limits, say }: Effort): Promise<Figures> {
  const stage = new Stage();
  try {
    const { versions, ours, peer, limit } = await row.open(stage);
    const measures = [ours, peer, ...(limits && limit !== undefined ? [limit] : [])];
    await inTurn(measures, 0); // warm, and not counted
    const figures = measures.map((): number[] => []);
    for (let round = 1; round <= rounds; round += 1) {
      const ofRound = await inTurn(measures, round);
      ofRound.forEach((figure, index) => figures[index]?.push(figure));
      const [figure, ...others] = ofRound.map((each) => each.toPrecision(4));
      say(`${row.id} ${String(round)}/${String(rounds)}: ${String(figure)}, peer ${others.join(', limit ')}`);
    }
    const [own = [], theirs = [], least] = figures;
    return {
      with: versions ?? {},
      rounds,
      ours: summarize(own),
      theirs: summarize(theirs),
      ratio: compare(own, theirs),
      ...(least && { limit_ratio: compare(least, theirs) }),
      load_average: loadavg()[0] ?? NaN,
    };
  } finally {
    await stage.close();
  }
}

/** Measures each once. Whoever comes later has perhaps an advantage, so it is another one each time that begins. */
async function inTurn(measures: readonly (() => Promise<number>)[], round: number): Promise<number[]> {
  const figures: number[] = [];
  for (let turn = 0; turn < measures.length; turn += 1) {
    const index = (turn + round) % measures.length;
    figures[index] = (await measures[index]?.()) ?? NaN;
  }
  return figures;
}
