import { describe, expect, it } from 'vitest';
import { lastJson, openPlace, openServer, PASSWORD, type Place } from './account.js';

async function twoProfiles(): Promise<Place> {
  const server = await openServer();
  const place = await openPlace();
  for (const profile of ['default', 'work.eu']) {
    const argv = ['login', server.homeserver, '--user', 'alice', '--profile', profile];
    await place.run(argv, { env: { MX2S_PASSWORD: PASSWORD } });
  }
  return place;
}

describe('profiles', () => {
  it('lists them, and says which is the current one', async () => {
    const place = await twoProfiles();
    const { code, stdout } = await place.run(['profiles']);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n').map(lastJson);
    expect(lines).toMatchObject([
      { v: 1, profile: 'default', current: true },
      { v: 1, profile: 'work.eu', current: false },
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual([
      'v',
      'profile',
      'homeserver',
      'user_id',
      'device_id',
      'current',
    ]);
  });

  it('lines them up for people', async () => {
    const place = await twoProfiles();
    const { stdout } = await place.run(['profiles', '--text']);
    expect(stdout).toMatch(
      /^\* {2}default {2}@alice:\S+ {2}\S+ {2}http:\S+\n {3}work\.eu {2}@alice:\S+ {2}\S+ {2}http:\S+\n$/,
    );
  });

  it('says where there are none', async () => {
    const place = await openPlace();
    expect(await place.run(['profiles'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no profiles: mx2s login makes one\n',
    });
    expect((await place.files()).size).toBe(0);
  });

  it('makes another the current one', async () => {
    const place = await twoProfiles();
    const { code, stdout } = await place.run(['profiles', 'use', 'work.eu']);
    expect(code).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ profile: 'work.eu', current: true });
    expect(lastJson((await place.run(['whoami'])).stdout)).toMatchObject({ profile: 'work.eu' });
  });

  it('makes the current one the current one', async () => {
    const place = await twoProfiles();
    expect((await place.run(['profiles', 'use', 'default'])).code).toBe(0);
  });

  it.each([
    [['profiles', 'use', 'none'], 'there is no profile none'],
    [['profiles', 'use', '-x'], "unknown option '-x'"],
    [['profiles', 'use', '../x'], 'is no name for a profile'],
    [['profiles', 'use'], 'no profile was named'],
    [['profiles', 'list'], "unknown command 'profiles list'"],
    [['profiles', 'use', 'a', 'b'], 'too many arguments'],
  ])('%j is wrong', async (argv, what) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(argv);
    expect(code).toBe(2);
    expect(stderr).toContain(what);
  });
});
