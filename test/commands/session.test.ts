import { EventEmitter } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { systemChance } from '../../src/chance.js';
import { systemClock, type Clock } from '../../src/clock.js';
import type { Context } from '../../src/commands/context.js';
import { parseGlobals } from '../../src/commands/globals.js';
import { openHttp } from '../../src/commands/open-http.js';
import { deviceOf, knownHomeserver, openSession } from '../../src/commands/session.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';
import type { HttpClient } from '../../src/http/client.js';
import { openInput, openStreams } from '../../src/ui/streams.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { startBinary, type RunningBinary } from '../kit/binary.js';
import { Collector, PLAIN_STREAMS } from '../kit/run-cli.js';
import { lastJson, openPlace, openServer, PASSWORD, type Place } from './account.js';

/** The context of a command whose flags and environment are these. */
function contextOf(flags: Record<string, unknown>, env: Record<string, string>): Context {
  const { signal } = new AbortController();
  let http: Promise<HttpClient> | undefined;
  onTestFinished(async () => (await http)?.close());
  const context: Context = {
    globals: parseGlobals(flags),
    env,
    stdin: openInput(Readable.from([]), signal),
    ...openStreams({ stdout: new Collector(false), stderr: new Collector(false) }, PLAIN_STREAMS),
    clock: systemClock,
    chance: systemChance,
    signal,
    http: () => (http ??= openHttp(context)),
    pid: process.pid,
    signalListeners: new EventEmitter(),
    selfCommand: [],
  };
  return context;
}

/** A homeserver whose clock a test moves. */
function movableClock(): Clock & { aheadMs: number } {
  const clock = { ...systemClock, aheadMs: 0, now: () => Date.now() + clock.aheadMs };
  return clock;
}

const login = (place: Place, homeserver: string): Promise<unknown> =>
  place.run(['login', homeserver, '--user', 'alice'], { env: { MX2S_PASSWORD: PASSWORD } });

describe('openSession', () => {
  it('knows the device of a profile without asking', async () => {
    const server = await openServer();
    const place = await openPlace();
    await login(place, server.homeserver);
    await server.stop();
    const session = await openSession(contextOf({}, place.env));
    expect(session).toMatchObject({ source: 'profile', profile: 'default', ownDevice: true });
    expect(await deviceOf(session)).toEqual({
      homeserver: server.homeserver,
      userId: `@alice:${server.serverName}`,
      deviceId: expect.stringMatching(/./) as unknown,
    });
    expect(Object.keys(await session.identify())).toEqual(['userId', 'deviceId']);
  });

  it('asks once for the device of a token of the environment', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@alice:example.org', device_id: 'ABC' }),
    );
    const session = await openSession(
      contextOf({}, { MX2S_HOMESERVER: `${server.url}/`, MX2S_ACCESS_TOKEN: 'tok' }),
    );
    expect(session).toMatchObject({ source: 'environment', profile: undefined, ownDevice: false });
    expect(server.asked).toEqual([]);
    const device = { homeserver: server.url, userId: '@alice:example.org', deviceId: 'ABC' };
    expect(await deviceOf(session)).toEqual(device);
    expect(await deviceOf(session)).toEqual(device);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.headers.authorization).toBe('Bearer tok');
  });

  it('asks again after it got no answer', async () => {
    const server = await startLoopbackServer((_asked, response, index) =>
      json(response, index === 0 ? 401 : 200, {
        user_id: '@alice:example.org',
        device_id: 'ABC',
        errcode: 'M_X',
      }),
    );
    const session = await openSession(
      contextOf({}, { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'tok' }),
    );
    await expect(session.identify()).rejects.toThrow('401');
    await expect(session.identify()).resolves.toMatchObject({ deviceId: 'ABC' });
  });

  it('refuses to receive with a token that has no device', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@bridge:example.org' }),
    );
    const session = await openSession(
      contextOf({}, { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'tok' }),
    );
    await expect(deviceOf(session)).rejects.toThrow(InvalidInputError);
    await expect(deviceOf(session)).rejects.toMatchObject({
      hint: 'log in with mx2s login, which makes a device',
    });
  });

  it('never sends the token of a profile to another origin', async () => {
    const server = await openServer();
    const stranger = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const place = await openPlace();
    await login(place, server.homeserver);
    for (const [flags, env] of [
      [{ homeserver: stranger.url }, {}],
      [{ homeserver: stranger.url, profile: 'default' }, {}],
      [{}, { MX2S_HOMESERVER: stranger.url }],
    ] as const) {
      await expect(openSession(contextOf(flags, { ...place.env, ...env }))).rejects.toThrow(UsageError);
    }
    expect(stranger.asked).toEqual([]);
  });
});

describe('knownHomeserver', () => {
  it('is what is named, or that of the profile, or none', async () => {
    const server = await openServer();
    const place = await openPlace();
    expect(await knownHomeserver(contextOf({}, place.env))).toBeUndefined();
    await login(place, server.homeserver);
    expect(await knownHomeserver(contextOf({}, place.env))).toBe(server.homeserver);
    const elsewhere = 'https://example.org';
    expect(await knownHomeserver(contextOf({ homeserver: elsewhere }, place.env))).toBe(elsewhere);
    expect(await knownHomeserver(contextOf({}, { ...place.env, MX2S_HOMESERVER: elsewhere }))).toBe(
      elsewhere,
    );
  });

  it('is not that of a profile that is not there', async () => {
    const place = await openPlace();
    await expect(knownHomeserver(contextOf({ profile: 'none' }, place.env))).rejects.toThrow(
      InvalidInputError,
    );
  });
});

describe('a session that is renewed', () => {
  const binaries: RunningBinary[] = [];
  afterEach(async () => {
    for (const binary of binaries.splice(0)) await binary.stop();
  });

  it('goes on shortly before its token expires, with another', async () => {
    const server = await openServer({ accessTokenLifetimeMs: 5000 });
    const place = await openPlace();
    await login(place, server.homeserver);
    const first = await place.storedToken();
    expect((await place.run(['whoami'])).code).toBe(0);
    expect(await place.storedToken()).not.toBe(first);
  });

  it('goes on after its token has expired', async () => {
    const clock = movableClock();
    const server = await openServer({ clock, accessTokenLifetimeMs: 3_600_000 });
    const place = await openPlace();
    await login(place, server.homeserver);
    const tokens = [await place.storedToken()];
    for (let hours = 1; hours <= 3; hours += 1) {
      clock.aheadMs = hours * 3_700_000;
      expect((await place.run(['whoami'])).code).toBe(0);
      tokens.push(await place.storedToken());
    }
    expect(new Set(tokens).size).toBe(4);
  });

  it('goes on in eight processes at once, none of which voids what another got', async () => {
    const clock = movableClock();
    const server = await openServer({ clock, accessTokenLifetimeMs: 3_600_000 });
    const place = await openPlace();
    await login(place, server.homeserver);
    clock.aheadMs = 3_700_000;
    for (let n = 0; n < 8; n += 1) {
      binaries.push(startBinary(['whoami', '--trace'], { home: place.directory, env: { ...place.env } }));
    }
    const results = await Promise.all(binaries.map(({ result }) => result));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    const refreshes = results.filter(({ stderr }) => stderr.includes('/v3/refresh'));
    expect(refreshes).toHaveLength(1);
    expect((await place.run(['whoami'])).code).toBe(0);
  });

  it('ends with 4 and says to log in again where it was ended elsewhere', async () => {
    const server = await openServer();
    const place = await openPlace();
    await login(place, server.homeserver);
    const file = join(place.directory, 'profiles.json');
    const stored = await readFile(file, 'utf8');
    await fetch(`${server.homeserver}/_matrix/client/v3/logout`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await place.storedToken()}` },
    });
    const { code, stderr } = await place.run(['whoami']);
    expect(code).toBe(4);
    expect(lastJson(stderr)).toMatchObject({
      error: {
        code: 'token_refused',
        hint: 'log in again with mx2s login --profile default: it keeps the device',
      },
    });
    expect(await readFile(file, 'utf8')).toBe(stored);
  });
});
