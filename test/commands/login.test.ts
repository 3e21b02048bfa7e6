import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { lastJson, openPlace, openServer, PASSWORD } from './account.js';

const withPassword = { env: { MX2S_PASSWORD: PASSWORD } };

describe('login with a password', () => {
  it('stores a profile for its owner only, and says so', async () => {
    const server = await openServer();
    const place = await openPlace();
    const { code, stdout, stderr } = await place.run(
      ['login', server.homeserver, '--user', 'alice'],
      withPassword,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const file = join(place.directory, 'profiles.json');
    expect(lastJson(stdout)).toEqual({
      v: 1,
      profile: 'default',
      homeserver: server.homeserver,
      user_id: `@alice:${server.serverName}`,
      device_id: expect.stringMatching(/./) as unknown,
      config_file: file,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('tells people the same in two lines', async () => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--user', 'alice', '--text'];
    const { stdout } = await place.run(argv, withPassword);
    expect(stdout).toMatch(
      /^logged in as @alice:\S+ at http:\S+, device \S+\nprofile default in \/\S+profiles\.json\n$/,
    );
  });

  it('finds the homeserver by the user ID', async () => {
    const server = await openServer();
    const place = await openPlace();
    const { code, stdout } = await place.run(['login', `@alice:${server.serverName}`], withPassword);
    expect(code).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ homeserver: server.homeserver });
  });

  it('takes the homeserver of the environment', async () => {
    const server = await openServer();
    const place = await openPlace();
    const env = { ...withPassword.env, MX2S_HOMESERVER: server.homeserver };
    expect((await place.run(['login', '--user', 'alice'], { env })).code).toBe(0);
  });

  it.each(['\n', '\r\n', ''])('takes it from a file, whose last line ends with %j', async (end) => {
    const server = await openServer();
    const place = await openPlace();
    const file = join(place.directory, 'password');
    await writeFile(file, PASSWORD + end);
    const argv = ['login', server.homeserver, '--user', 'alice', '--password-file', file];
    expect((await place.run(argv)).code).toBe(0);
  });

  it('drops one line end only', async () => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--user', 'alice', '--password-file', '-'];
    expect((await place.run(argv, { stdin: `${PASSWORD}\n\n` })).code).toBe(1);
    expect((await place.run(argv, { stdin: `${PASSWORD}\n` })).code).toBe(0);
  });

  it('keeps the device of the profile at the second login, and voids its first token', async () => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--user', 'alice'];
    const first = lastJson((await place.run(argv, withPassword)).stdout);
    const firstToken = await place.storedToken();
    const second = await place.run(argv, withPassword);
    expect(lastJson(second.stdout)).toEqual(first);
    expect(second.stderr).toBe('');
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: firstToken };
    expect((await place.run(['whoami'], { env })).code).toBe(4);
    expect((await place.run(['whoami'])).code).toBe(0);
  });

  it('logs the user of the profile in again when nothing else is said', async () => {
    const server = await openServer();
    const place = await openPlace();
    await place.run(['login', server.homeserver, '--user', 'alice', '-p', 'work'], withPassword);
    const again = await place.run(['login', '-p', 'work'], withPassword);
    expect(again.code).toBe(0);
    expect(lastJson(again.stdout)).toMatchObject({ profile: 'work', user_id: `@alice:${server.serverName}` });
  });

  it('makes a device of its own for another profile, and leaves the current one', async () => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--user', 'alice'];
    const first = await place.run(argv, withPassword);
    const second = await place.run([...argv, '--profile', 'work'], withPassword);
    expect(lastJson(second.stdout)['device_id']).not.toBe(lastJson(first.stdout)['device_id']);
    expect(second.stderr).toBe('the current profile is still default: mx2s profiles use work changes that\n');
  });

  it('says that the session of another user, whose profile it takes, stays open', async () => {
    const server = await openServer();
    const place = await openPlace();
    const [, bob] = server.users;
    await place.run(['login', server.homeserver, '--user', 'bob'], {
      env: { MX2S_PASSWORD: bob?.password ?? '' },
    });
    const { stderr } = await place.run(['login', server.homeserver, '--user', 'alice'], withPassword);
    expect(stderr).toMatch(/^profile default held device \S+ of @bob:\S+, whose session is still open\n$/);
  });

  it('uses the profile that MX2S_PROFILE names', async () => {
    const server = await openServer();
    const place = await openPlace();
    const env = { ...withPassword.env, MX2S_PROFILE: 'ci' };
    const { stdout } = await place.run(['login', server.homeserver, '--user', 'alice'], { env });
    expect(lastJson(stdout)).toMatchObject({ profile: 'ci' });
  });
});

describe('login with an access token', () => {
  it('finds out whose it is', async () => {
    const server = await openServer();
    const place = await openPlace();
    const [alice] = server.users;
    const argv = ['login', '--homeserver', server.homeserver, '--access-token-file', '-'];
    const { code, stdout } = await place.run(argv, { stdin: `${alice?.accessToken}\n` });
    expect(code).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ user_id: alice?.userId, device_id: alice?.deviceId });
    // the device came with the token: whoever listens on it may take another client's messages
    expect(
      JSON.parse((await place.files()).get(join(place.directory, 'profiles.json')) ?? ''),
    ).toHaveProperty('profiles.default.own_device', false);
  });

  it.each([
    ['a refused token', 'not-a-token', 4],
    ['a token with a space', 'not a token', 2],
    ['a token of two lines', 'one\ntwo\n', 2],
    ['an empty file', '\n', 2],
  ])('refuses %s', async (_name, token, expected) => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--access-token-file', '-'];
    const { code } = await place.run(argv, { stdin: token });
    expect(code).toBe(expected);
    expect((await place.files()).size).toBe(0);
  });

  it('refuses the token of another user than asked', async () => {
    const server = await openServer();
    const place = await openPlace();
    const argv = ['login', server.homeserver, '--user', 'bob', '--access-token-file', '-'];
    const { code, stderr } = await place.run(argv, { stdin: server.users[0]?.accessToken ?? '' });
    expect(code).toBe(5);
    expect(stderr).toContain('not for bob');
  });
});

describe('login without a terminal', () => {
  it.each([
    [['login'], '--homeserver URL, --user NAME, --password-file FILE'],
    [['login', 'http://127.0.0.1:1'], '--user NAME, --password-file FILE'],
    [['login', '@alice:127.0.0.1'], '--password-file FILE'],
    [['login', '--user', 'alice'], '--homeserver URL, --password-file FILE'],
  ])('%j names the flags that are missing, and asks no homeserver', async (argv, flags) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(argv);
    expect(code).toBe(2);
    expect(lastJson(stderr)).toMatchObject({
      error: { code: 'usage', message: `there is no terminal to ask on: give ${flags}` },
    });
  });

  it('asks nobody either where only stdin is a terminal', async () => {
    const place = await openPlace();
    const { code } = await place.run(['login', '@alice:127.0.0.1'], { terminal: { stdin: true } });
    expect(code).toBe(2);
  });
});

describe('login on a terminal', () => {
  const terminal = { stdin: true, stdout: true, stderr: true };

  function keyboard(): PassThrough {
    return Object.assign(new PassThrough(), { setRawMode: () => undefined });
  }

  it('asks for what is missing, and shows no password', async () => {
    const server = await openServer();
    const place = await openPlace();
    const stdin = keyboard();
    const running = place.start(['login'], { stdin, terminal });
    await running.stderr.until(/homeserver, or your @user:domain: /);
    stdin.write(`${server.homeserver}\r`);
    await running.stderr.until(/user: /);
    stdin.write('alice\r');
    await running.stderr.until(/password for alice: /);
    stdin.write(`${PASSWORD}\r`);
    const { code, stdout, stderr } = await running.done;
    expect(stderr).not.toContain(PASSWORD);
    expect(code).toBe(0);
    expect(stdout).toContain('logged in as');
  });

  it('asks for the password only where the rest is said', async () => {
    const server = await openServer();
    const place = await openPlace();
    const stdin = keyboard();
    const running = place.start(['login', `@alice:${server.serverName}`], { stdin, terminal });
    await running.stderr.until(/password for @alice:\S+: /);
    stdin.write(`${PASSWORD}\r`);
    expect((await running.done).code).toBe(0);
  });

  it('ends with 130 at Ctrl-C', async () => {
    const place = await openPlace();
    const stdin = keyboard();
    const running = place.start(['login'], { stdin, terminal });
    await running.stderr.until(/homeserver/);
    stdin.write('\u0003');
    expect((await running.done).code).toBe(130);
  });

  it('ends with 143 at SIGTERM', async () => {
    const place = await openPlace();
    const running = place.start(['login'], { stdin: keyboard(), terminal });
    await running.stderr.until(/homeserver/);
    running.signal('SIGTERM');
    expect((await running.done).code).toBe(143);
  });

  it('takes no password where none will do', async () => {
    const server = await startLoopbackServer(({ path }, response) =>
      json(
        response,
        200,
        path.endsWith('/versions') ? { versions: [] } : { flows: [{ type: 'm.login.sso' }] },
      ),
    );
    const place = await openPlace();
    const argv = ['login', server.url, '--user', 'alice'];
    const { code, stderr } = await place.run(argv, { stdin: keyboard(), terminal });
    expect(code).toBe(1);
    expect(stderr).toContain('it offers only m.login.sso');
    expect(stderr).not.toContain('password for');
  });
});

describe('what goes wrong', () => {
  it.each([
    ['a wrong password', ['--user', 'alice'], { MX2S_PASSWORD: 'wrong one' }, 1],
    ['an empty password file', ['--user', 'alice', '--password-file', '-'], {}, 2],
    ['a password file that is not there', ['--user', 'alice', '--password-file', '/nowhere/at/all'], {}, 2],
    ['two secrets', ['--password-file', 'a', '--access-token-file', 'b'], {}, 2],
    ['a bad profile name', ['--user', 'alice', '--profile', 'a/b'], { MX2S_PASSWORD: PASSWORD }, 2],
    ['a device name without a value', ['--device-name'], {}, 2],
  ])('%s', async (_name, argv, env, expected) => {
    const server = await openServer();
    const place = await openPlace();
    const { code, stdout } = await place.run(['login', server.homeserver, ...argv], { env, stdin: '\n' });
    expect(code).toBe(expected);
    expect(stdout).toBe('');
    expect((await place.files()).size).toBe(0);
  });

  it.each([
    ['a homeserver with user information', ['https://alice:geheim@example.org']],
    ['one without a scheme', ['alice:geheim@example.org']],
    ['one of --homeserver without a scheme', ['--homeserver', 'alice:geheim@example.org']],
    ['one with an odd scheme', ['--homeserver', 'htp://alice:ge/geheim@example.org']],
    ['a user ID with a password', ['@alice:geheim@example.org']],
    ['a token in place of its file', ['http://127.0.0.1:1', '--access-token-file', 'syt_geheim']],
    [
      'a password in place of its file',
      ['http://127.0.0.1:1', '--user', 'alice', '--password-file', 'geheim'],
    ],
  ])('%s is not shown, nor is its stack', async (_name, argv) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(['login', ...argv, '--text', '--verbose']);
    expect(code).toBe(2);
    expect(stderr).not.toContain('geheim');
  });

  it('a profile that cannot be stored leaves no session behind', async () => {
    const server = await openServer();
    const place = await openPlace();
    await mkdir(join(place.directory, 'profiles.json.tmp-1'));
    const trace = join(place.directory, 'trace');
    const argv = ['login', server.homeserver, '--user', 'alice', '--trace-file', trace];
    const { code, stdout, stderr } = await place.run(argv, withPassword);
    expect([code, stdout]).toEqual([1, '']);
    expect(lastJson(stderr)).toMatchObject({ error: { code: 'disk' } });
    expect(await readFile(trace, 'utf8')).toMatch(/^> POST \S+\/logout\n(?:> .*\n)*< 200$/m);
  });

  it('what a killed writer left behind is removed', async () => {
    const server = await openServer();
    const place = await openPlace();
    await writeFile(join(place.directory, 'profiles.json.tmp-12345'), 'syt_token');
    const argv = ['login', server.homeserver, '--user', 'alice'];
    expect((await place.run(argv, withPassword)).code).toBe(0);
    expect([...(await place.files()).keys()].filter((file) => file.includes('.tmp-'))).toEqual([]);
  });

  it('nobody answers', async () => {
    const place = await openPlace();
    const argv = ['login', 'http://127.0.0.1:1', '--user', 'alice', '--retries', '0'];
    expect((await place.run(argv, withPassword)).code).toBe(5);
  });

  it('a web site answers', async () => {
    const server = await startLoopbackServer((_asked, response) => response.writeHead(404).end('<html>'));
    const place = await openPlace();
    const { code, stderr } = await place.run(['login', server.url, '--user', 'alice'], withPassword);
    expect(code).toBe(5);
    expect(stderr).toContain('is not a Matrix homeserver');
  });

  it('a homeserver that limits logins: it says how long', async () => {
    const server = await startLoopbackServer(({ method, path }, response) => {
      if (path.endsWith('/versions')) return json(response, 200, { versions: [] });
      if (method === 'GET') return json(response, 200, { flows: [{ type: 'm.login.password' }] });
      const limited = { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 292_021 };
      json(response, 429, limited, { 'retry-after': '293' });
    });
    const place = await openPlace();
    const { code, stderr } = await place.run(['login', server.url, '--user', 'alice'], withPassword);
    expect(code).toBe(6);
    expect(lastJson(stderr)).toMatchObject({
      error: { code: 'rate_limited', message: expect.stringContaining('293 s') as unknown },
    });
  });

  it('a profile file that is broken: nothing is sent, and it stays as it is', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    const place = await openPlace();
    const file = join(place.directory, 'profiles.json');
    await writeFile(file, '{"v":1,');
    const { code, stderr } = await place.run(['login', server.url, '--user', 'alice'], withPassword);
    expect(code).toBe(2);
    expect(stderr).toContain(file);
    expect(server.asked).toEqual([]);
    expect(await readFile(file, 'utf8')).toBe('{"v":1,');
  });

  it('a directory that cannot be written', async () => {
    const server = await openServer();
    const place = await openPlace();
    await writeFile(join(place.directory, 'state'), 'in the way');
    const { code, stderr } = await place.run(['login', server.homeserver, '--user', 'alice'], withPassword);
    expect(code).toBe(1);
    expect(lastJson(stderr)).toMatchObject({ error: { code: 'disk' } });
  });
});

describe('secrets', () => {
  it('are in the profile and nowhere else: output, trace, trace file, other files', async () => {
    const server = await openServer();
    const place = await openPlace();
    const trace = join(place.directory, 'trace');
    const argv = [
      'login',
      server.homeserver,
      '--user',
      'alice',
      '--trace',
      '--verbose',
      '--trace-file',
      trace,
    ];
    const outputs = [
      await place.run(argv, withPassword),
      await place.run([...argv, '--text'], withPassword),
      await place.run([...argv, '-p', 'x'], { env: { MX2S_PASSWORD: `${PASSWORD}-wrong` } }),
      await place.run(['whoami', '--trace', '--trace-file', trace]),
      await place.run(['profiles']),
    ].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    const profiles = JSON.parse(await readFile(join(place.directory, 'profiles.json'), 'utf8')) as {
      profiles: { default: { access_token: string; refresh_token: string } };
    };
    const { access_token: accessToken, refresh_token: refreshToken } = profiles.profiles.default;
    const files = await place.files();
    expect(await readFile(trace, 'utf8')).toContain('/v3/login');
    files.delete(join(place.directory, 'profiles.json'));
    for (const secret of [PASSWORD, accessToken, refreshToken]) {
      expect(secret.length).toBeGreaterThan(10);
      for (const text of [...outputs, ...files.values(), ...files.keys()]) expect(text).not.toContain(secret);
    }
  });

  it('are not in a directory that others may look into', async () => {
    const server = await openServer();
    const place = await openPlace();
    const shared = join(place.directory, 'shared');
    await mkdir(shared);
    await chmod(shared, 0o755);
    const env = { ...withPassword.env, MX2S_CONFIG_DIR: join(shared, 'mx2s') };
    await place.run(['login', server.homeserver, '--user', 'alice'], { env });
    expect((await stat(join(shared, 'mx2s'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(shared, 'mx2s', 'profiles.json'))).mode & 0o777).toBe(0o600);
    expect((await stat(shared)).mode & 0o777).toBe(0o755);
  });
});
