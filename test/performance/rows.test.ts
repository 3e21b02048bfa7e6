import { describe, expect, it } from 'vitest';
import { ROWS } from '../../bench/rows.js';

describe('the rows', () => {
  it('are 12 works, in order', () => {
    const numbers = ROWS.map(({ id }) => Number.parseInt(id, 10));
    expect([...new Set(numbers)]).toEqual(Array.from({ length: 12 }, (_, n) => n + 1));
    expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
  });

  it('have names of their own', () => {
    const ids = ROWS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('have names that fit into the plot', () => {
    for (const { work } of ROWS) expect(work.replaceAll('`', '').length).toBeLessThanOrEqual(72);
  });

  it('have enough rounds for a median', () => {
    for (const { rounds } of ROWS) expect(rounds).toBeGreaterThanOrEqual(5);
  });
});
