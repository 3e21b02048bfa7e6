/** Measures a row: ours and the peer's in turn, so that both have the same weather. */
import { loadavg } from 'node:os';
import { Stage } from '../test/evidence/stage.js';
import type { MeasuredRow } from './report.js';
import { MissingProgram, type Row } from './row.js';
import { compare, summarize } from './statistics.js';

/**
 * Measures `rounds` pairs, after one that does not count. What a row needs and this machine does not have is its result.
 * @param say gets a line for each round
 */
export async function measureRow(
  row: Row,
  rounds: number,
  say: (line: string) => void,
): Promise<MeasuredRow> {
  const { id, work, peer, compared, reach, limit } = row;
  const facts = { id, work, peer, compared, reach, limit };
  try {
    return { ...facts, ...(await measurePairs(row, rounds, say)) };
  } catch (error) {
    if (!(error instanceof MissingProgram)) throw error;
    say(`NOT MEASURED: ${id}, ${error.message}`);
    return { ...facts, missing: error.message };
  }
}

async function measurePairs(row: Row, rounds: number, say: (line: string) => void) {
  const stage = new Stage();
  try {
    const pair = await row.open(stage);
    const ours: number[] = [];
    const peer: number[] = [];
    const measures = [async () => ours.push(await pair.ours()), async () => peer.push(await pair.peer())];
    for (let round = 0; round <= rounds; round += 1) {
      for (const measure of measures) await measure();
      measures.reverse(); // whatever comes second has no advantage
      if (round === 0) [ours, peer].forEach((figures) => figures.pop());
      else say(`${row.id} ${String(round)}/${String(rounds)}: ${shown(ours.at(-1))} / ${shown(peer.at(-1))}`);
    }
    return {
      with: pair.versions ?? {},
      rounds,
      ours: summarize(ours),
      theirs: summarize(peer),
      ratio: compare(ours, peer),
      load_average: loadavg()[0] ?? NaN,
    };
  } finally {
    await stage.close();
  }
}

function shown(figure: number | undefined): string {
  return figure === undefined ? '-' : figure.toPrecision(4);
}
