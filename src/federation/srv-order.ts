/** In which order the targets of SRV records are tried. Pure. */
import type { SrvRecord } from './look-up.js';

/**
 * Lower priorities first; within one, by chance, each with a probability in proportion to its weight (RFC 2782,
 * "Usage rules").
 *
 * @param fraction chance: a number in [0, 1), a new one at each call
 */
export function orderSrv(records: readonly SrvRecord[], fraction: () => number): readonly SrvRecord[] {
  // a weight of 0 comes first, so that it is chosen only by a 0
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: SrvRecord[] = [];
  for (let first = left[0]; first !== undefined; first = left[0]) {
    const { priority } = first;
    const group = left.filter((record) => record.priority === priority);
    const total = group.reduce((sum, { weight }) => sum + weight, 0);
    let chosen = Math.floor(fraction() * (total + 1));
    const index = group.findIndex(({ weight }) => (chosen -= weight) <= 0);
    ordered.push(...left.splice(index, 1));
  }
  return ordered;
}
