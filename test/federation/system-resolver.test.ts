import { describe, expect, it } from 'vitest';
import { systemResolver } from '../../src/federation/system-resolver.js';
import { startDnsServer } from './dns-server.js';

describe('systemResolver', () => {
  it('has addresses from this machine', async () => {
    const addresses = await systemResolver().addresses('localhost');
    expect(addresses.length).toBeGreaterThan(0);
    for (const address of addresses) expect(['127.0.0.1', '::1']).toContain(address);
  });

  it('finds SRV records', async () => {
    const server = await startDnsServer({
      srv: {
        '_matrix-fed._tcp.a.example': [
          [10, 5, 8443, 'one.a.example'],
          [20, 0, 443, 'two.a.example'],
        ],
        '_matrix._tcp.a.example': [[0, 0, 0, '.']],
      },
      empty: ['_matrix._tcp.b.example'],
    });
    const resolver = systemResolver([server]);
    const records = await resolver.srv('_matrix-fed._tcp.a.example');
    expect([...records].sort((a, b) => a.priority - b.priority)).toEqual([
      { target: 'one.a.example', port: 8443, priority: 10, weight: 5 },
      { target: 'two.a.example', port: 443, priority: 20, weight: 0 },
    ]);
    expect(await resolver.srv('_matrix._tcp.a.example')).toMatchObject([
      { target: expect.stringMatching(/^\.?$/) },
    ]);
    expect(await resolver.srv('_matrix._tcp.b.example')).toEqual([]);
    expect(await resolver.srv('nowhere.example')).toEqual([]);
  });

  it('tells aliases', async () => {
    const server = await startDnsServer({ cname: { 'alias.example': 'a.example' }, empty: ['a.example'] });
    const resolver = systemResolver([server]);
    expect(await resolver.isAlias('alias.example')).toBe(true);
    expect(await resolver.isAlias('a.example')).toBe(false);
    expect(await resolver.isAlias('nowhere.example')).toBe(false);
  });

  it('tells no answer from the answer that there is nothing', async () => {
    const resolver = systemResolver([await startDnsServer({ failing: ['a.example'] })]);
    await expect(resolver.srv('a.example')).rejects.toThrow('ESERVFAIL');
    await expect(resolver.isAlias('a.example')).rejects.toThrow('ESERVFAIL');
  });
});
