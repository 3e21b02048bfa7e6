import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFault, type Resolver, type SrvRecord } from '../../src/federation/look-up.js';
import { resolveServer, type ResolveTools } from '../../src/federation/resolve.js';
import { orderSrv } from '../../src/federation/srv-order.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { readVectorFile } from '../wire/vector-file.js';

interface World {
  readonly server_name: string;
  readonly reach?: ResolveTools['reach'];
  readonly well_known?: Readonly<Record<string, string>>;
  readonly srv?: Readonly<Record<string, (readonly [number, number, number, string])[]>>;
  readonly addresses?: Readonly<Record<string, readonly string[]>>;
  readonly aliases?: readonly string[];
  readonly silent?: readonly string[];
  readonly fractions?: readonly number[];
}

type Wanted =
  | { readonly connect: readonly string[]; readonly host: string; readonly certificate: string }
  | { readonly unreachable: 'passing' | 'final' };

const vectors = readVectorFile<World, Wanted>('federation/resolve.json', {
  input: ['server_name', 'reach', 'well_known', 'srv', 'addresses', 'aliases', 'silent', 'fractions'],
  expect: ['connect', 'host', 'certificate', 'unreachable'],
});

describe('resolveServer', () => {
  it.each(vectors.cases)('$name: $why', async ({ input, expect: wanted }) => {
    const route = await resolveServer(parseServerName(input.server_name), toolsOf(input));
    if (isFault(route)) {
      expect({ unreachable: route.isPassing ? 'passing' : 'final' }).toEqual(wanted);
      return;
    }
    const connect = route.endpoints.map(({ address, port }) =>
      address.includes(':') ? `[${address}]:${String(port)}` : `${address}:${String(port)}`,
    );
    expect({ connect, host: route.host, certificate: route.certificateName }).toEqual(wanted);
  });

  it.each([
    [{ server_name: 'nowhere.example:1' }, 'DNS knows no address of nowhere.example'],
    [{ server_name: 'a.example:1', silent: ['a.example'] }, 'DNS gave no answer for a.example'],
    [
      { server_name: 'a.example', silent: ['_matrix._tcp.a.example'] },
      'DNS gave no answer for _matrix._tcp.a.example',
    ],
    [{ server_name: '1.2.3' }, '1.2.3 is no host name that can be looked up'],
    [
      { server_name: '[fc00::1]', reach: 'public' as const },
      'fc00::1 is no public address and not connected to',
    ],
    [
      { server_name: 'a.example:1', reach: 'public' as const, addresses: { 'a.example': ['10.0.0.1'] } },
      'a.example is 10.0.0.1, which is no public address and not connected to',
    ],
  ])('says why not: %j', async (input, fault) => {
    expect(await resolveServer(parseServerName(input.server_name), toolsOf(input))).toMatchObject({ fault });
  });

  it('tries no more than eight addresses', async () => {
    const addresses = Array.from({ length: 20 }, (_each, index) => `192.0.2.${String(index)}`);
    const input = { server_name: 'a.example:1', addresses: { 'a.example': addresses } };
    expect(await resolveServer(parseServerName('a.example:1'), toolsOf(input))).toMatchObject({
      endpoints: addresses.slice(0, 8).map((address) => ({ address, port: 1 })),
    });
  });

  it('looks up no more SRV targets than it needs', async () => {
    const addresses = Array.from({ length: 5 }, (_each, index) => `192.0.2.${String(index)}`);
    const looked: string[] = [];
    const tools = toolsOf({
      server_name: 'a.example',
      srv: {
        '_matrix-fed._tcp.a.example': [1, 2, 3].map((n) => [n, 0, n, `t${String(n)}.example`] as const),
      },
    });
    const resolver: Resolver = {
      ...tools.resolver,
      addresses: (host) => {
        looked.push(host);
        return Promise.resolve(addresses);
      },
    };
    const route = await resolveServer(parseServerName('a.example'), { ...tools, resolver });
    expect(route).toHaveProperty('endpoints.length', 8);
    expect(looked).toEqual(['t1.example', 't2.example']);
  });

  it('never lets an address out of reach through, whatever DNS says', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())), async (addresses) => {
        const input: World = {
          server_name: 'a.example:1',
          reach: 'public',
          addresses: { 'a.example': ['127.0.0.1', '::1', '10.1.1.1', ...addresses] },
        };
        const route = await resolveServer(parseServerName('a.example:1'), toolsOf(input));
        for (const { address } of isFault(route) ? [] : route.endpoints) {
          expect(address).not.toMatch(/^(?:127\.|10\.|::1$|192\.168\.|169\.254\.|f[cde])/);
        }
      }),
    );
  });
});

describe('orderSrv', () => {
  const record = fc.record({
    target: fc.constantFrom('a', 'b', 'c'),
    port: fc.nat(65_535),
    priority: fc.nat(3),
    weight: fc.nat(65_535),
  });

  it('loses none and keeps priorities in order', () => {
    fc.assert(
      fc.property(
        fc.array(record),
        fc.float({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (all, chance) => {
          const ordered = orderSrv(all, () => chance);
          expect(ordered).toHaveLength(all.length);
          expect(new Set(ordered)).toEqual(new Set(all));
          expect(ordered.map(({ priority }) => priority)).toEqual(
            all.map(({ priority }) => priority).sort((a, b) => a - b),
          );
        },
      ),
    );
  });

  it('takes the first in proportion to the weights', () => {
    const records: SrvRecord[] = [
      { target: 'light', port: 1, priority: 0, weight: 1 },
      { target: 'heavy', port: 1, priority: 0, weight: 3 },
    ];
    const firsts = Array.from({ length: 1000 }, (_each, index) => orderSrv(records, () => index / 1000)[0]);
    const heavy = firsts.filter((first) => first?.target === 'heavy').length;
    expect(heavy).toBe(600); // of 0 to 4, the numbers 2, 3 and 4
  });
});

function toolsOf(world: World): ResolveTools {
  const fractions = [...(world.fractions ?? [])];
  const answer = <Found>(name: string, found: Found): Promise<Found> =>
    world.silent?.includes(name) === true ? Promise.reject(new Error('SERVFAIL')) : Promise.resolve(found);
  const resolver: Resolver = {
    addresses: (host) => answer(host, world.addresses?.[host] ?? []),
    srv: (name) =>
      answer(
        name,
        (world.srv?.[name] ?? []).map(([priority, weight, port, target]) => ({
          priority,
          weight,
          port,
          target,
        })),
      ),
    isAlias: (host) => answer(host, world.aliases?.includes(host) ?? false),
  };
  const delegateOf = (hostname: string) => {
    const delegate = world.well_known?.[hostname];
    return Promise.resolve(delegate === undefined ? undefined : parseServerName(delegate));
  };
  return { resolver, delegateOf, fraction: () => fractions.shift() ?? 0, reach: world.reach ?? 'any' };
}
