/** `npm run bench -- …` */
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** Numbers of rows; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Pairs to measure of each row; undefined for as many as the row says. */
  readonly rounds: number | undefined;
  /** Compare with what is committed, and write nothing. */
  readonly guard: boolean;
}

/** @throws Error for what makes no sense */
export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, rounds: { type: 'string' }, guard: { type: 'boolean' } },
  });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
    throw new Error(`--rounds: '${String(values.rounds)}' is no number of rounds`);
  }
  return { only: values.only?.split(','), rounds, guard: values.guard === true };
}

/**
 * Those that are named: `1` names `1a` and `1b`, too.
 * @throws Error when a name is that of none
 */
export function chosen<Named extends { readonly id: string }>(
  rows: readonly Named[],
  only: readonly string[] | undefined,
): readonly Named[] {
  if (only === undefined) return rows;
  const isNamed = (id: string, name: string): boolean => id === name || id.replace(/\D+$/, '') === name;
  const unknown = only.find((name) => !rows.some(({ id }) => isNamed(id, name)));
  if (unknown !== undefined) {
    throw new Error(`--only: there is no row ${unknown}, only ${rows.map(({ id }) => id).join(', ')}`);
  }
  return rows.filter(({ id }) => only.some((name) => isNamed(id, name)));
}
