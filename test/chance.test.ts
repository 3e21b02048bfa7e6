import { expect, it } from 'vitest';
import { systemChance } from '../src/chance.js';

it('makes UUIDs of version 4, no two alike', () => {
  const [one, other] = [systemChance.uuid(), systemChance.uuid()];
  expect(one).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(one).not.toBe(other);
});

it('makes as many bytes as are asked for, no two times the same', () => {
  expect(systemChance.bytes(0)).toHaveLength(0);
  expect(systemChance.bytes(32)).toHaveLength(32);
  expect(systemChance.bytes(32)).not.toEqual(systemChance.bytes(32));
});

it('makes fractions of one', () => {
  for (let round = 0; round < 100; round += 1) {
    const fraction = systemChance.fraction();
    expect(fraction >= 0 && fraction < 1).toBe(true);
  }
});
