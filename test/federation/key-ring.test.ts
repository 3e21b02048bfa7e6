import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { serverKeysFetch } from '../../src/federation/fetch-server-keys.js';
import { KeyRing, type KeyRingOptions } from '../../src/federation/key-ring.js';
import { publishedKeys, type KeyFault } from '../../src/federation/server-keys.js';
import type { PublicKey, SigningKeys } from '../../src/federation/signing-key.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import type { JsonNode } from '../../src/wire/json.js';
import { parseJson } from '../../src/wire/json.js';
import { json } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';
import { keyOf, openClient, startPeer } from './peer.js';

const NAME = parseServerName('a.example');
const one = keyOf('1', 1);
const two = keyOf('2', 2);
const HOUR_MS = 3_600_000;

describe('keyFor', () => {
  it('fetches keys once, and remembers them', async () => {
    const { ring, asked } = ringOf(() => published([one]));
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
    expect(asked).toEqual([NAME]);
  });

  it('shares one fetch among all who ask meanwhile', async () => {
    const { ring, asked } = ringOf(() => published([one, two]));
    const keys = await Promise.all([one, two, one].map(({ keyId }) => ring.keyFor(NAME, keyId)));
    for (const [index, key] of keys.entries()) await expectKey(key, index === 1 ? two : one);
    expect(asked).toHaveLength(1);
  });

  it('fetches again for a key that it does not know: at once, then once in 10 s', async () => {
    let keys: SigningKeys = [one];
    const { ring, asked, clock } = ringOf(() => published(keys));
    await ring.keyFor(NAME, one.keyId);
    keys = [two];
    await expectKey(await ring.keyFor(NAME, two.keyId), two);
    expect(asked).toHaveLength(2);

    for (let count = 0; count < 5; count += 1) {
      expect(await ring.keyFor(NAME, 'ed25519:3')).toEqual({ fault: 'a.example has no key ed25519:3' });
    }
    expect(asked).toHaveLength(2);
    await clock.sleep(9_999);
    await ring.keyFor(NAME, 'ed25519:3');
    expect(asked).toHaveLength(2);
    await clock.sleep(1);
    await ring.keyFor(NAME, 'ed25519:3');
    expect(asked).toHaveLength(3);
  });

  it('forgets a key that its server no longer lists', async () => {
    let keys: SigningKeys = [one];
    const { ring } = ringOf(() => published(keys));
    await ring.keyFor(NAME, one.keyId);
    keys = [two];
    await ring.keyFor(NAME, two.keyId);
    expect(await ring.keyFor(NAME, one.keyId)).toEqual({ fault: 'a.example has no key ed25519:1' });
  });

  it('uses keys until they expire, and then fetches them', async () => {
    const { ring, asked, clock } = ringOf((nowMs) => published([one], nowMs));
    await ring.keyFor(NAME, one.keyId);
    await clock.sleep(24 * HOUR_MS - 1);
    await ring.keyFor(NAME, one.keyId);
    expect(asked).toHaveLength(1);
    await clock.sleep(1);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
    expect(asked).toHaveLength(2);
  });

  it('refuses keys that have expired already', async () => {
    const { ring } = ringOf((nowMs) => published([one], nowMs - 24 * HOUR_MS));
    expect(await ring.keyFor(NAME, one.keyId)).toEqual({ fault: 'the keys of a.example have expired' });
  });

  it('tells strangers only that there was no answer, and the operator why', async () => {
    const cause = new NetworkError({ method: 'GET', url: 'https://a.example/' }, 'a.example is 10.0.0.1');
    const { ring } = ringOf(() => cause);
    expect(await ring.keyFor(NAME, one.keyId)).toEqual({
      fault: 'the keys of a.example cannot be fetched',
      cause,
    });
  });

  it('does not ask a silent server at each request', async () => {
    const silence = new NetworkError({ method: 'GET', url: 'https://a.example/' }, 'no answer');
    const answers: (JsonNode | NetworkError)[] = [silence, silence, published([one])];
    const { ring, asked, clock } = ringOf(() => answers.shift() ?? silence);
    for (let count = 0; count < 5; count += 1) {
      expect(await ring.keyFor(NAME, one.keyId)).toHaveProperty('fault');
    }
    expect(asked).toHaveLength(2);
    await clock.sleep(10_000);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
  });

  it('keeps good keys while their server is silent', async () => {
    const silence = new NetworkError({ method: 'GET', url: 'https://a.example/' }, 'no answer');
    const answers: (JsonNode | NetworkError)[] = [published([one]), silence];
    const { ring } = ringOf(() => answers.shift() ?? silence);
    await ring.keyFor(NAME, one.keyId);
    expect(await ring.keyFor(NAME, two.keyId)).toEqual({ fault: 'a.example has no key ed25519:2' });
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
  });

  it('refuses keys that do not verify', async () => {
    const { ring } = ringOf(() => parseJson('{"server_name":"b.example"}'));
    expect(await ring.keyFor(NAME, one.keyId)).toEqual({ fault: 'the keys are of another server' });
  });

  it('remembers a bounded number of servers', async () => {
    const { ring, asked } = ringOf((_nowMs, name) => published([one], 0, name), { maxServers: 2 });
    const names = ['a', 'b', 'c', 'c', 'b', 'a'].map((name) => parseServerName(name));
    for (const name of names) await ring.keyFor(name, one.keyId);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('asks a bounded number of servers at once', async () => {
    const { ring, asked } = ringOf(() => new Promise<JsonNode>(() => undefined));
    for (let count = 0; count < 150; count += 1) {
      void ring.keyFor(parseServerName(`${String(count)}.example`), one.keyId);
    }
    expect(await ring.keyFor(NAME, one.keyId)).toEqual({ fault: 'too many keys are being fetched' });
    expect(asked).toHaveLength(100);
  });

  it('calls off whom nobody knows and who has been silent for 3 s, when another wants to be asked', async () => {
    const { ring, asked, clock } = ringOf((_nowMs, name) =>
      name === NAME ? published([one]) : new Promise<JsonNode>(() => undefined),
    );
    const silent = (name: string) => ring.keyFor(parseServerName(name), one.keyId);
    const oldest = silent('oldest.example');
    await clock.sleep(1);
    for (let count = 1; count < 100; count += 1) void silent(`${String(count)}.example`);
    await clock.sleep(2_998);
    expect(await ring.keyFor(NAME, one.keyId)).toHaveProperty('fault');
    await clock.sleep(1);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
    expect(await oldest).toMatchObject({
      fault: 'the keys of oldest.example cannot be fetched',
      cause: { code: 'deadline', message: 'it was silent for 3 s, and others are to be asked' },
    });
    void silent('100.example'); // in the place that is free again
    expect(await silent('101.example')).toEqual({ fault: 'too many keys are being fetched' });
    expect(asked).toHaveLength(102);
  });

  it('calls off nobody for those who ask it for the keys of others', async () => {
    const { ring, asked, clock } = ringOf(() => new Promise<JsonNode>(() => undefined));
    const silent = (name: string) => ring.keysOf(parseServerName(name), 0);
    for (let count = 0; count < 10; count += 1) void silent(`${String(count)}.example`);
    await clock.sleep(10_000);
    expect(await silent('10.example')).toEqual({ fault: 'too many keys are being fetched' });
    expect(asked).toHaveLength(10);
  });

  it('asks servers whose keys it had, however many others are silent', async () => {
    let keys: SigningKeys = [one];
    const silent = new Promise<JsonNode>(() => undefined);
    const { ring } = ringOf((_nowMs, name) => (name === NAME ? published(keys) : silent));
    await ring.keyFor(NAME, one.keyId);
    for (let count = 0; count < 150; count += 1) {
      void ring.keyFor(parseServerName(`${String(count)}.example`), one.keyId);
    }
    keys = [two];
    await expectKey(await ring.keyFor(NAME, two.keyId), two);
  });

  it('asks for others only so many that there is room for ourselves', async () => {
    const silent = new Promise<JsonNode>(() => undefined);
    const { ring, asked } = ringOf((_nowMs, name) => (name === NAME ? published([one]) : silent));
    for (let count = 0; count < 100; count += 1) {
      void ring.keysOf(parseServerName(`${String(count)}.example`), 0);
    }
    expect(asked).toHaveLength(10);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
  });

  it('forgets no good keys for servers that have none', async () => {
    const { ring, asked } = ringOf(
      (_nowMs, name) => {
        if (name === NAME) return published([one]);
        throw new NetworkError({ method: 'GET', url: 'x' }, 'no such server');
      },
      { maxServers: 2 },
    );
    await ring.keyFor(NAME, one.keyId);
    for (const name of ['b', 'c', 'd']) await ring.keyFor(parseServerName(name), one.keyId);
    await expectKey(await ring.keyFor(NAME, one.keyId), one);
    expect(asked.filter((name) => name === NAME)).toHaveLength(1);
  });

  it('lets a bug through', async () => {
    const ring = new KeyRing({ fetch: () => Promise.reject(new TypeError('bug')), clock: new TurnedClock() });
    await expect(ring.keyFor(NAME, one.keyId)).rejects.toThrow('bug');
  });
});

describe('keysOf', () => {
  it('has keys from memory for half of their life', async () => {
    const { ring, asked, clock } = ringOf((nowMs) => published([one], nowMs));
    await ring.keysOf(NAME, 0);
    await clock.sleep(12 * HOUR_MS - 1);
    await ring.keysOf(NAME, 0);
    expect(asked).toHaveLength(1);
    await clock.sleep(1);
    expect(await ring.keysOf(NAME, 0)).toMatchObject({ fetchedMs: 12 * HOUR_MS });
    expect(asked).toHaveLength(2);
  });

  it('fetches keys that are not good long enough', async () => {
    const { ring, asked, clock } = ringOf((nowMs) => published([one], nowMs));
    await ring.keysOf(NAME, 0);
    await clock.sleep(HOUR_MS);
    expect(await ring.keysOf(NAME, 24.5 * HOUR_MS)).toMatchObject({ validUntilMs: 25 * HOUR_MS });
    expect(asked).toHaveLength(2);
  });

  it('has what it has if there is nothing better', async () => {
    const { ring } = ringOf(() => published([one]));
    expect(await ring.keysOf(NAME, Infinity)).toMatchObject({ validUntilMs: 24 * HOUR_MS });
  });

  it('has nothing of a server that never answered', async () => {
    const { ring } = ringOf(
      () => new NetworkError({ method: 'GET', url: 'https://a.example/' }, 'no answer'),
    );
    expect(await ring.keysOf(NAME, 0)).toHaveProperty('fault');
  });
});

describe('serverKeysFetch', () => {
  it('asks the server itself', async () => {
    const peer = await startPeer();
    const ring = new KeyRing({ fetch: serverKeysFetch(openClient()), clock: { now: () => Date.now() } });
    await expectKey(await ring.keyFor(peer.name, peer.key.keyId), peer.key);
    expect(peer.asked).toMatchObject([{ method: 'GET', path: '/_matrix/key/v2/server' }]);
  });

  it('finds no keys where there are none', async () => {
    const peer = await startPeer((_asked, response) => json(response, 404, {}), false);
    const ring = new KeyRing({ fetch: serverKeysFetch(openClient()), clock: { now: () => Date.now() } });
    expect(await ring.keyFor(peer.name, peer.key.keyId)).toMatchObject({
      cause: { message: `GET https://${peer.name}/_matrix/key/v2/server was answered 404` },
    });
  });
});

function published(keys: SigningKeys, nowMs = 0, serverName = NAME): JsonNode {
  return publishedKeys({ serverName, keys }, nowMs);
}

function ringOf(
  answer: (nowMs: number, name: ServerName) => JsonNode | Error | Promise<JsonNode>,
  options: Partial<KeyRingOptions> = {},
) {
  const clock = new TurnedClock();
  const asked: ServerName[] = [];
  const ring = new KeyRing({
    fetch: async (name, signal) => {
      asked.push(name);
      const calledOff = new Promise<never>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
      const given = await Promise.race([answer(clock.now(), name), calledOff]);
      if (given instanceof Error) throw given;
      return given;
    },
    clock,
    ...options,
  });
  return { ring, asked, clock };
}

async function expectKey(found: PublicKey | KeyFault, key: typeof one): Promise<void> {
  if ('fault' in found) throw new Error(found.fault);
  expect(await found.verify('x', key.sign('x'))).toBe(true);
}
