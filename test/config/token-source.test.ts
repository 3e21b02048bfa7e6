import { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tokens } from '../../src/client/login.js';
import { systemClock } from '../../src/clock.js';
import {
  openProfileStore,
  parseProfileName,
  withoutProfile,
  withProfile,
  type Profile,
  type ProfileStore,
} from '../../src/config/profiles.js';
import { fixedToken, storedTokens } from '../../src/config/token-source.js';
import { MalformedResponseError, MatrixError, NetworkError } from '../../src/errors.js';
import { exitCodeOf } from '../../src/exit-codes.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';

const NOW_MS = 1_700_000_000_000;
const HOUR_MS = 3_600_000;
const clock = { ...systemClock, now: () => NOW_MS };
const name = parseProfileName('work');
const first: Profile = {
  homeserver: 'https://example.org',
  userId: parseUserId('@alice:example.org'),
  deviceId: parseDeviceId('ABC'),
  ownDevice: true,
  accessToken: 'access-0',
  refreshToken: 'refresh-0',
  expiresAtMs: NOW_MS + HOUR_MS,
};

/**
 * Refreshes as a homeserver does that rotates both tokens: a refresh token is good until the pair it gave is
 * used; trading it again before that gives a fresh pair and voids the one given before.
 */
class Homeserver {
  trades = 0;
  private refreshToken = 'refresh-0';
  private unused: { access: string; refresh: string } | undefined;
  private readonly good = new Set(['access-0']);

  refresh = (refreshToken: string): Promise<Tokens> => {
    if (refreshToken === this.unused?.refresh) this.markUsed();
    if (refreshToken !== this.refreshToken) {
      return Promise.reject(
        new MatrixError(
          { status: 403, errcode: 'M_FORBIDDEN', method: 'POST', url: 'u' },
          'not valid anymore',
        ),
      );
    }
    this.trades += 1;
    if (this.unused !== undefined) this.good.delete(this.unused.access);
    this.unused = { access: `access-${this.trades}`, refresh: `refresh-${this.trades}` };
    this.good.add(this.unused.access);
    return Promise.resolve({
      accessToken: this.unused.access,
      refreshToken: this.unused.refresh,
      expiresInMs: HOUR_MS,
    });
  };

  /** Is the token good? Asking uses it. */
  accepts(accessToken: string): boolean {
    if (accessToken === this.unused?.access) this.markUsed();
    return this.good.has(accessToken);
  }

  private markUsed(): void {
    this.refreshToken = this.unused?.refresh ?? this.refreshToken;
    this.unused = undefined;
  }
}

let directory: string;
let store: ProfileStore;
let homeserver: Homeserver;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-token-source-'));
  homeserver = new Homeserver();
  store = openProfileStore({
    directories: { config: join(directory, 'config'), state: join(directory, 'state') },
    clock,
    pid: process.pid,
    signals: new EventEmitter(),
  });
  await put(first);
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const put = (profile: Profile): Promise<unknown> =>
  store.update((profiles) => withProfile(profiles, name, profile));
const stored = async (): Promise<Profile | undefined> => (await store.read()).byName.get(name);

function tokens(
  profile: Profile = first,
  refresh: (token: string) => Promise<Tokens> = homeserver.refresh,
): ReturnType<typeof storedTokens> {
  return storedTokens({
    store,
    name,
    profile,
    refreshLock: join(directory, 'state', 'locks', 'one.refresh'),
    waiter: { pid: process.pid, clock },
    refresh,
  });
}

describe('fixedToken', () => {
  it('stays as it is', async () => {
    const source = fixedToken('abc');
    expect(await source.current()).toBe('abc');
    expect(await source.renew('abc')).toBeUndefined();
  });
});

describe('storedTokens', () => {
  it('gives the stored token while it is good', async () => {
    expect(await tokens().current()).toBe('access-0');
    expect(homeserver.trades).toBe(0);
  });

  it('renews shortly before it expires, and stores the pair before it gives it out', async () => {
    const soon = { ...first, expiresAtMs: NOW_MS + 5000 };
    await put(soon);
    expect(await tokens(soon).current()).toBe('access-1');
    expect(await stored()).toEqual({
      ...first,
      accessToken: 'access-1',
      refreshToken: 'refresh-1',
      expiresAtMs: NOW_MS + HOUR_MS,
    });
  });

  it('keeps using what it renewed', async () => {
    const soon = { ...first, expiresAtMs: NOW_MS };
    await put(soon);
    const source = tokens(soon);
    expect(await source.current()).toBe('access-1');
    expect(await source.current()).toBe('access-1');
    expect(homeserver.trades).toBe(1);
  });

  it('renews when it was refused', async () => {
    expect(await tokens().renew('access-0')).toBe('access-1');
    expect((await stored())?.refreshToken).toBe('refresh-1');
  });

  it('renews again and again, each time with the newest refresh token', async () => {
    const source = tokens();
    for (const n of [1, 2, 3]) {
      const renewed = await source.renew(`access-${n - 1}`);
      expect(renewed).toBe(`access-${n}`);
      expect(homeserver.accepts(renewed ?? '')).toBe(true);
    }
  });

  it('takes what another process stored meanwhile, without asking the homeserver', async () => {
    const source = tokens();
    await put({ ...first, accessToken: 'access-9', refreshToken: 'refresh-9' });
    expect(await source.renew('access-0')).toBe('access-9');
    expect(homeserver.trades).toBe(0);
    expect(await source.current()).toBe('access-9');
  });

  it('never voids a pair of another process: of many that are refused at once, one trades', async () => {
    const sources = Array.from({ length: 6 }, () => tokens());
    const renewed = await Promise.all(sources.map((source) => source.renew('access-0')));
    expect(new Set(renewed)).toEqual(new Set(['access-1']));
    expect(homeserver.trades).toBe(1);
    expect(homeserver.accepts('access-1')).toBe(true);
  });

  it('gives nothing where there is no refresh token', async () => {
    const plain = { ...first, refreshToken: undefined, expiresAtMs: NOW_MS };
    await put(plain);
    expect(await tokens(plain).renew('access-0')).toBeUndefined();
    expect(await tokens(plain).current()).toBe('access-0');
  });

  it('gives nothing where the profile is gone, and does not bring it back', async () => {
    const source = tokens();
    await store.update((profiles) => withoutProfile(profiles, name));
    expect(await source.renew('access-0')).toBeUndefined();
    expect(await stored()).toBeUndefined();
  });

  it('gives nothing of another device that now has the profile', async () => {
    const source = tokens();
    await put({ ...first, deviceId: parseDeviceId('OTHER'), accessToken: 'other', refreshToken: 'other' });
    expect(await source.renew('access-0')).toBeUndefined();
    expect(homeserver.trades).toBe(0);
  });

  it.each([
    [
      'a logout',
      (): Promise<unknown> => store.update((profiles) => withoutProfile(profiles, name)),
      undefined,
    ],
    ['a login', (): Promise<unknown> => put({ ...first, accessToken: 'login' }), 'login'],
  ])('leaves the last word to %s that comes while the homeserver is asked', async (_name, between, kept) => {
    const source = tokens(first, async (refreshToken) => {
      await between();
      return homeserver.refresh(refreshToken);
    });
    await source.renew('access-0');
    expect((await stored())?.accessToken).toBe(kept);
  });

  it.each([
    [401, 'M_UNKNOWN_TOKEN'],
    [403, 'M_FORBIDDEN'],
    [404, 'M_UNRECOGNIZED'],
  ])('says to log in again when the refresh token is refused with %i %s', async (status, errcode) => {
    const refusal = new MatrixError({ status, errcode, method: 'POST', url: 'u' }, 'refused');
    const error: unknown = await tokens(first, () => Promise.reject(refusal))
      .renew('access-0')
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'token_refused',
      message: expect.stringContaining(`(${status} ${errcode})`) as unknown,
      hint: 'log in again with mx2s login --profile work: it keeps the device',
    });
    expect(exitCodeOf(error)).toBe(4);
    expect(await stored()).toEqual(first);
  });

  it.each([
    new NetworkError({ method: 'POST', url: 'u' }, 'no answer'),
    new MatrixError({ status: 502, errcode: undefined, method: 'POST', url: 'u' }, 'a proxy'),
    new MatrixError({ status: 401, errcode: 'M_USER_LOCKED', method: 'POST', url: 'u' }, 'locked'),
  ])('passes on what says nothing about the session: $message', async (failure) => {
    const source = tokens(first, () => Promise.reject(failure));
    await expect(source.renew('access-0')).rejects.toBe(failure);
    expect(await stored()).toEqual(first);
    // and the lock is free again
    await expect(source.renew('access-0')).rejects.toBe(failure);
  });

  it('does not store a token that cannot stand in a header', async () => {
    const odd = { accessToken: 'a\r\nX: y', refreshToken: 'r', expiresInMs: undefined };
    const source = tokens(first, () => Promise.resolve(odd));
    await expect(source.renew('access-0')).rejects.toThrow(MalformedResponseError);
    expect(await stored()).toEqual(first);
  });
});
