import { EventEmitter } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import {
  NO_PROFILES,
  openProfileStore,
  parseProfileName,
  withCurrent,
  withoutProfile,
  withProfile,
  type Profile,
  type ProfileStore,
} from '../../src/config/profiles.js';
import { DiskError, InvalidInputError, UnreadableFileError } from '../../src/errors.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { bundleScript, startChild } from './child.js';

const SECRET = 'syt_secret_of_this_test';
const alice: Profile = {
  homeserver: 'https://matrix.example.org/base',
  userId: parseUserId('@alice:example.org'),
  deviceId: parseDeviceId('ABC'),
  ownDevice: true,
  accessToken: SECRET,
  refreshToken: 'refresh',
  expiresAtMs: 1_700_000_000_000,
};
const bob: Profile = {
  ...alice,
  userId: parseUserId('@Bob:example.org', 'historical'),
  ownDevice: false,
  refreshToken: undefined,
  expiresAtMs: undefined,
};
const work = parseProfileName('work');
const dotted = parseProfileName('@alice:example.org');

let directory: string;
let store: ProfileStore;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-profiles-'));
  store = openProfileStore({
    directories: { config: join(directory, 'config'), state: join(directory, 'state') },
    clock: systemClock,
    pid: process.pid,
    signals: new EventEmitter(),
  });
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe('the store', () => {
  it('has no profiles where there is no file, and makes none by looking', async () => {
    expect(await store.read()).toEqual(NO_PROFILES);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('gives back what was put in', async () => {
    await store.update((profiles) => withProfile(profiles, dotted, alice));
    await store.update((profiles) => withProfile(profiles, work, bob));
    expect(await store.read()).toEqual({
      current: dotted,
      byName: new Map([
        [dotted, alice],
        [work, bob],
      ]),
    });
  });

  it('is for its owner only, its directories too', async () => {
    await store.update((profiles) => withProfile(profiles, work, alice));
    expect(statSync(store.file).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'config')).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'state')).mode & 0o777).toBe(0o700);
  });

  it('closes a file that was open to others when it writes', async () => {
    await store.update((profiles) => withProfile(profiles, work, alice));
    rmSync(store.file);
    writeFileSync(store.file, '{"v":1,"profiles":{}}', { mode: 0o644 });
    await store.update((profiles) => withProfile(profiles, work, alice));
    expect(statSync(store.file).mode & 0o777).toBe(0o600);
  });

  it('keeps the token in the one file and nowhere else', async () => {
    await store.update((profiles) => withProfile(profiles, work, alice));
    const holders = readdirSync(directory, { recursive: true, encoding: 'utf8' })
      .map((name) => join(directory, name))
      .filter((path) => statSync(path).isFile() && readFileSync(path, 'utf8').includes(SECRET));
    expect(holders).toEqual([store.file]);
  });

  it('writes nothing when nothing changes', async () => {
    await store.update((profiles) => profiles);
    expect(() => statSync(store.file)).toThrow('ENOENT');
  });

  it('follows a link, as people who keep their settings elsewhere make one', async () => {
    mkdirSync(join(directory, 'config'));
    writeFileSync(join(directory, 'elsewhere.json'), '{"v":1,"profiles":{}}');
    symlinkSync(join(directory, 'elsewhere.json'), store.file);
    await store.update((profiles) => withProfile(profiles, work, alice));
    expect(readFileSync(join(directory, 'elsewhere.json'), 'utf8')).toContain('@alice:example.org');
  });

  it('that cannot be written is a disk error', async () => {
    writeFileSync(join(directory, 'state'), '');
    await expect(store.update((profiles) => withProfile(profiles, work, alice))).rejects.toThrow(DiskError);
  });

  it('loses nothing to eight processes that write at the same time', async () => {
    const script = await bundleScript(directory, 'write', WRITE);
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const children = names.map((name) => startChild(script, [directory, name]));
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(names.map(() => 'listeners 0 0\n'));
    const { byName } = await store.read();
    expect([...byName.keys()].sort()).toEqual(
      names.flatMap((name) => [0, 1, 2].map((n) => `${name}${n}`)).sort(),
    );
  });
});

describe('a file that is not ours, or broken', () => {
  const profile = {
    homeserver: 'https://example.org',
    user_id: '@alice:example.org',
    device_id: 'ABC',
    access_token: SECRET,
  };
  const whole = { v: 1, current: 'work', profiles: { work: profile } };
  const withMember = (change: object): string =>
    JSON.stringify({ ...whole, profiles: { work: { ...profile, ...change } } });

  it.each([
    ['nothing', '', 'no JSON at character 0'],
    ['half of itself', JSON.stringify(whole).slice(0, -30), 'no JSON at character'],
    ['a list', '[]', 'not of this version'],
    ['no version', '{"profiles":{}}', 'not of this version'],
    ['a later version', JSON.stringify({ ...whole, v: 2 }), 'not of this version'],
    ['no profiles', '{"v":1}', 'no object at /profiles'],
    ['a bad name', JSON.stringify({ v: 1, profiles: { '../x': profile } }), 'a name that is none'],
    ['no homeserver', withMember({ homeserver: 5 }), '/profiles/work is not whole'],
    ['a bad homeserver', withMember({ homeserver: 'example.org' }), '/profiles/work is not whole'],
    ['a bad user', withMember({ user_id: 'alice' }), '/profiles/work is not whole'],
    ['a bad device', withMember({ device_id: '*' }), '/profiles/work is not whole'],
    ['no token', withMember({ access_token: null }), '/profiles/work is not whole'],
    ['a token with a line end', withMember({ access_token: `${SECRET}\n` }), '/profiles/work is not whole'],
  ])('with %s: the error names it, says what to do, and shows none of it', async (_name, text, what) => {
    mkdirSync(join(directory, 'config'));
    writeFileSync(store.file, text);
    const error: unknown = await store.read().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidInputError);
    const { message, hint, cause } = error as InvalidInputError;
    expect(message).toContain(store.file);
    expect(message).toContain(what);
    expect(hint).toContain('log in again');
    expect(`${message}${hint ?? ''}${String(cause)}`).not.toContain(SECRET);
    await expect(store.update((profiles) => withProfile(profiles, work, alice))).rejects.toThrow(what);
    expect(readFileSync(store.file, 'utf8')).toBe(text);
  });

  it('with a current profile that is not there: there is none', async () => {
    mkdirSync(join(directory, 'config'));
    writeFileSync(store.file, JSON.stringify({ ...whole, current: 'gone' }));
    expect((await store.read()).current).toBeUndefined();
  });

  it('that is a directory: the error names it', async () => {
    mkdirSync(store.file, { recursive: true });
    await expect(store.read()).rejects.toThrow(UnreadableFileError);
    await expect(store.read()).rejects.toThrow(store.file);
  });
});

describe('changes', () => {
  const both = withProfile(withProfile(NO_PROFILES, work, alice), dotted, bob);

  it('make the first profile the current one, and leave that so', () => {
    expect(both.current).toBe(work);
    expect(both.byName.get(dotted)).toBe(bob);
  });

  it('take another as the current one', () => {
    expect(withCurrent(both, dotted).current).toBe(dotted);
    expect(withCurrent(both, work)).toBe(both);
  });

  it('remove one, and leave no current one where it was that', () => {
    expect(withoutProfile(both, work)).toEqual({ current: undefined, byName: new Map([[dotted, bob]]) });
    expect(withoutProfile(both, dotted)).toEqual({ current: work, byName: new Map([[work, alice]]) });
    expect(withoutProfile(both, parseProfileName('none'))).toBe(both);
  });

  it('make the next profile the current one where none is', () => {
    expect(withProfile(withoutProfile(both, work), dotted, bob).current).toBe(dotted);
  });
});

describe('parseProfileName', () => {
  it.each(['default', 'a', '7', 'work.eu-1_x', '@alice:example.org', 'x'.repeat(255), 'constructor'])(
    'takes %s',
    (name) => {
      expect(parseProfileName(name)).toBe(name);
    },
  );

  it.each(['', '-p', '.', '..', 'a/b', 'a b', 'ä', 'a\n', '__proto__', 'x'.repeat(256)])(
    'refuses %j',
    (name) => {
      expect(() => parseProfileName(name)).toThrow(InvalidInputError);
    },
  );
});

const WRITE = `
import { systemClock } from '../../src/clock.js';
import { openProfileStore, parseProfileName, withProfile } from '../../src/config/profiles.js';
const [directory = '', name = ''] = process.argv.slice(2);
const store = openProfileStore({
  directories: { config: directory + '/config', state: directory + '/state' },
  clock: systemClock,
  pid: process.pid,
  signals: process,
});
const profile = { homeserver: 'https://example.org', userId: '@a:example.org', deviceId: 'A', ownDevice: true, accessToken: 't' };
for (let n = 0; n < 3; n += 1) {
  await store.update((profiles) => withProfile(profiles, parseProfileName(name + n), profile));
}
process.stdout.write('listeners ' + process.listenerCount('SIGINT') + ' ' + process.listenerCount('SIGTERM') + '\\n');
`;
