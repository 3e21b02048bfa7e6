import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { lastJson, openPlace, openServer, PASSWORD } from './account.js';

describe('whoami', () => {
  it('says who it is, by which profile', async () => {
    const server = await openServer();
    const place = await openPlace();
    const login = await place.run(['login', server.homeserver, '--user', 'alice'], {
      env: { MX2S_PASSWORD: PASSWORD },
    });
    const { code, stdout, stderr } = await place.run(['whoami']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(lastJson(stdout)).toEqual({
      v: 1,
      user_id: `@alice:${server.serverName}`,
      device_id: lastJson(login.stdout)['device_id'],
      homeserver: server.homeserver,
      source: 'profile',
      profile: 'default',
    });
    expect((await place.run(['whoami', '--text'])).stdout).toMatch(
      /^@alice:\S+ at http:\S+, device \S+ \(profile default\)\n$/,
    );
  });

  it('needs nothing but the environment, and writes no file', async () => {
    const server = await openServer();
    const place = await openPlace();
    const [alice] = server.users;
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: alice?.accessToken };
    const { code, stdout } = await place.run(['whoami'], { env });
    expect(code).toBe(0);
    expect(lastJson(stdout)).toEqual({
      v: 1,
      user_id: alice?.userId,
      device_id: alice?.deviceId,
      homeserver: server.homeserver,
      source: 'environment',
    });
    expect((await place.files()).size).toBe(0);
  });

  it('works in an environment without a place for files', async () => {
    const server = await openServer();
    const place = await openPlace();
    const env = {
      MX2S_HOMESERVER: server.homeserver,
      MX2S_ACCESS_TOKEN: server.users[0]?.accessToken,
      MX2S_CONFIG_DIR: '',
    };
    expect((await place.run(['whoami'], { env })).code).toBe(0);
  });

  it.each(['-', 'file'])(
    'takes the token of the command line (%s) before that of the environment',
    async (where) => {
      const server = await openServer();
      const place = await openPlace();
      const [alice, bob] = server.users;
      const file = where === '-' ? '-' : join(place.directory, 'token');
      if (file !== '-') await writeFile(file, `${bob?.accessToken}\r\n`);
      const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: alice?.accessToken };
      const argv = ['whoami', '--homeserver', server.homeserver, '--access-token-file', file];
      const { stdout } = await place.run(argv, { env, stdin: `${bob?.accessToken}\n` });
      expect(lastJson(stdout)).toMatchObject({ user_id: bob?.userId, source: 'flag' });
    },
  );

  it('says it of a token without a device, too', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@bridge:example.org' }),
    );
    const place = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'tok' };
    const { stdout } = await place.run(['whoami'], { env });
    expect(lastJson(stdout)).not.toHaveProperty('device_id');
    expect((await place.run(['whoami', '--text'], { env })).stdout).toContain(
      'no device (from the environment)',
    );
  });

  it('shows no control characters of a homeserver to people', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@a\u001b[2J\u202e:example.org', device_id: 'A\u0007' }),
    );
    const place = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'tok' };
    const { stdout } = await place.run(['whoami', '--text'], { env });
    expect(stdout).toContain('@a\\u001b[2J\\u202e:example.org');
    expect(stdout).toContain('device A\\u0007');
  });

  it.each([
    ['nobody is logged in', {}, 4, 'not_logged_in'],
    ['a homeserver alone is known', { MX2S_HOMESERVER: 'http://127.0.0.1:1' }, 4, 'not_logged_in'],
    ['a token alone is known', { MX2S_ACCESS_TOKEN: 'tok' }, 2, 'usage'],
    ['the profile is unknown', { MX2S_PROFILE: 'none' }, 2, 'invalid_input'],
    [
      'the token is none',
      { MX2S_HOMESERVER: 'http://127.0.0.1:1', MX2S_ACCESS_TOKEN: 'a b' },
      2,
      'invalid_input',
    ],
    [
      'the token file is not there',
      { MX2S_HOMESERVER: 'http://127.0.0.1:1', MX2S_ACCESS_TOKEN_FILE: '/nowhere/at/all' },
      2,
      'unreadable_file',
    ],
  ])('fails where %s', async (_name, env, expected, errorCode) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(['whoami'], { env });
    expect(code).toBe(expected);
    expect(lastJson(stderr)).toMatchObject({
      error: { code: errorCode, hint: expect.any(String) as unknown },
    });
  });

  it('fails with 4 where the token is refused', async () => {
    const server = await openServer();
    const place = await openPlace();
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: 'not-a-token' };
    const { code, stderr } = await place.run(['whoami', '--verbose', '--trace'], { env });
    expect(code).toBe(4);
    expect(lastJson(stderr)).toMatchObject({ error: { code: 'token_refused', errcode: 'M_UNKNOWN_TOKEN' } });
    expect(stderr).not.toContain('not-a-token');
  });
});
