import { describe, expect, it } from 'vitest';
import { systemChance } from '../../src/chance.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { openIdentity } from '../../src/server/identity.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { keyOf } from '../federation/peer.js';

const NAME = parseServerName('hs.test');

describe('the identity of a server', () => {
  it('is remembered with the key that was made for it', async () => {
    const store = openMemoryStore();
    const first = await openIdentity(store, NAME, undefined, systemChance);
    const second = await openIdentity(store, NAME, undefined, systemChance);
    expect(second.keys.map(({ publicKey }) => publicKey)).toEqual(
      first.keys.map(({ publicKey }) => publicKey),
    );
    expect(second.serverName).toBe(NAME);
  });

  it('has the keys that it is given, which are not remembered', async () => {
    const store = openMemoryStore();
    const keys = [keyOf('a', 1), keyOf('b', 2)] as const;
    expect(await openIdentity(store, NAME, keys, systemChance)).toEqual({ serverName: NAME, keys });
    expect(await store.fact('signing_key')).toBeUndefined();
  });

  it('is never that of another name', async () => {
    const store = openMemoryStore();
    await openIdentity(store, NAME, undefined, systemChance);
    const other = openIdentity(store, parseServerName('HS.test'), undefined, systemChance);
    await expect(other).rejects.toThrow('the data is of the server hs.test, which cannot become HS.test');
  });
});
