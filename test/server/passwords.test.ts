import { expect, it } from 'vitest';
import { systemChance } from '../../src/chance.js';
import {
  createPassword,
  hashChosenPassword,
  hashMadeUpPassword,
  verifyPassword,
} from '../../src/server/passwords.js';

it('hashes a chosen password slowly, with salt', async () => {
  const hash = await hashChosenPassword('päss', systemChance);
  expect(hash).toMatch(/^scrypt\$16384\$8\$1\$/);
  expect(await hashChosenPassword('päss', systemChance)).not.toBe(hash);
  expect(await verifyPassword('päss', hash)).toBe(true);
  expect(await verifyPassword('pass', hash)).toBe(false);
  expect(await verifyPassword('', hash)).toBe(false);
});

it('makes passwords that nobody guesses', async () => {
  const password = createPassword(systemChance);
  expect(password).toMatch(/^[\w-]{32}$/);
  const hash = hashMadeUpPassword(password);
  expect(await verifyPassword(password, hash)).toBe(true);
  expect(await verifyPassword(`${password}x`, hash)).toBe(false);
});
