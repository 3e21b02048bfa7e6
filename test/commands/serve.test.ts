import { execFileSync } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startServer } from '../../src/server/listen.js';
import { runBinary, startBinary } from '../kit/binary.js';
import { runCli } from '../kit/run-cli.js';
import { call, defined, sendToServer, serve, tempDir } from './serve-kit.js';

describe('the first line', () => {
  it('says where the server is and who can use it, once it answers', async () => {
    const ready = defined((await serve()).ready);
    expect(ready).toEqual({
      v: 1,
      ready: true,
      homeserver: `http://${ready.server_name}`,
      server_name: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      users: ['alice', 'bob'].map((name) => ({
        user_id: `@${name}:${ready.server_name}`,
        device_id: expect.stringMatching(/^[A-Z]{10}$/),
        access_token: expect.any(String),
        password: expect.any(String),
      })),
    });
    const whoami = await (await call(ready, 'GET', '/account/whoami')).json();
    expect(whoami).toMatchObject({ user_id: ready.users[0]?.user_id, device_id: ready.users[0]?.device_id });
  });

  it('follows --server-name and --user', async () => {
    const ready = defined(
      (await serve(['--server-name', 'example.org', '--user', 'carol', '--user', 'd.e'])).ready,
    );
    expect(ready.server_name).toBe('example.org');
    expect(ready.users.map(({ user_id }) => user_id)).toEqual(['@carol:example.org', '@d.e:example.org']);
  });

  it('is text for people on a terminal', async () => {
    const { stdout } = await serve(['--server-name', 'example.org', '--user', 'carol'], {
      terminal: { stdout: true },
      env: { NO_COLOR: '1' },
    });
    const text = await stdout.until(/Ctrl-C/);
    expect(text).toMatch(
      /^ready {2}http:\/\/127\.0\.0\.1:\d+ {2}the homeserver of example\.org\n@carol:example\.org {2}device \w+ {2}token \S+ {2}password \S+\nCtrl-C stops it\n$/,
    );
  });
});

describe('the event log', () => {
  it('has a line for each message to the server, and one for its answer', async () => {
    const { ready, stdout } = await serve(['--server-name', 'example.org', '--on', 'org.example.*=echo']);
    const server = defined(ready);
    await sendToServer(server, 'org.example.x', { a: 1 }, '1');
    await sendToServer(server, 'org.example.x', { a: 1 }, '1');
    await sendToServer(server, 'other', { secret: 1 }, '2');
    await stdout.until(/dropped/);
    const [alice] = server.users;
    const facts = { v: 1, type: 'org.example.x', via: 'client' };
    const inward = { ...facts, direction: 'in', sender: alice?.user_id, to: '@:example.org', device: '' };
    expect(stdout.lines.slice(1)).toEqual([
      { ...inward, outcome: 'handled', content: { a: 1 } },
      {
        ...facts,
        direction: 'out',
        sender: '@:example.org',
        to: alice?.user_id,
        device: alice?.device_id,
        outcome: 'handled',
        content: { a: 1 },
      },
      { ...inward, outcome: 'duplicate' },
      { ...inward, type: 'other', outcome: 'dropped' },
    ]);
  });

  it('is text for people with --text', async () => {
    const { stdout } = await serve([
      '--text',
      '--server-name',
      'example.org',
      '--port',
      '0',
      '--on',
      '*=echo',
    ]);
    const homeserver = defined(/http:\S+/.exec(stdout.text)?.[0]);
    const token = defined(/token (\S+)/.exec(stdout.text)?.[1]);
    const device = defined(/device (\S+)/.exec(stdout.text)?.[1]);
    await fetch(`${homeserver}/_matrix/client/v3/sendToDevice/org.example.x/1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}` },
      body: '{"messages":{"@:example.org":{"":{"a":"\\u0007"}}}}',
    });
    const text = await stdout.until(/out {2}handled.*\n/);
    const lines = text
      .split('\n')
      .slice(-3, -1)
      .map((line) => line.slice('12:34:56'.length));
    expect(lines).toEqual([
      '  in   handled  org.example.x  @alice:example.org → @:example.org  {"a":"\\u0007"}',
      `  out  handled  org.example.x  @:example.org → @alice:example.org (device ${device})  {"a":"\\u0007"}`,
    ]);
  });

  it('goes to a file, too, that only its owner reads', async () => {
    const file = join(await tempDir(), 'log');
    const { ready, stdout, signal, done } = await serve(['--log', file]);
    await sendToServer(defined(ready), 'mx2s.ping', { nonce: 'n' });
    await stdout.until(/mx2s\.pong.*\n/);
    signal('SIGINT');
    await done;
    expect(await readFile(file, 'utf8')).toBe(stdout.text.slice(stdout.text.indexOf('\n') + 1));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('tells on stderr why a handler failed', async () => {
    const { ready, stderr } = await serve(['--on', '*=exec:echo out of order >&2; exit 1'], {
      env: { PATH: process.env['PATH'] },
    });
    await sendToServer(defined(ready), 'org.example.x', {});
    expect(await stderr.until(/\n/)).toBe(
      'warning: the handler of org.example.x failed: the command ended with 1: out of order\n',
    );
  });

  it('shows that senders are limited', async () => {
    const { ready, stdout } = await serve(['--rate-limit', '0.001/s']);
    await sendToServer(defined(ready), 'mx2s.ping', { nonce: 'n' }, '1');
    const second = await sendToServer(defined(ready), 'mx2s.ping', { nonce: 'n' }, '2');
    expect(second.status).toBe(429);
    await stdout.until(/"outcome":"limited"/);
  });
});

describe('handlers', () => {
  it('get the environment of the command', async () => {
    const script = `cat > /dev/null; printf '{"content":{"home":"%s"}}' "$HOME"`;
    const { ready, stdout } = await serve(['--on', `*=exec:${script}`], {
      env: { PATH: process.env['PATH'], HOME: '/home/of/mx2s' },
    });
    await sendToServer(defined(ready), 'org.example.x', {});
    expect(await stdout.until(/"direction":"out".*\n/)).toContain('"content":{"home":"/home/of/mx2s"}');
  });

  it('get none of our secrets, and so tell none', async () => {
    const env = { PATH: process.env['PATH'], MX2S_PASSWORD: 'geheim', MX2S_ACCESS_TOKEN: 'geheimer' };
    const { ready, stderr } = await serve(['--on', '*=exec:cat >/dev/null; env >&2; echo done >&2; exit 1'], {
      env,
    });
    await sendToServer(defined(ready), 'x.y', {});
    expect(await stderr.until(/failed/)).toMatch(/ended with 1: done/);
    expect(stderr.text).not.toContain('geheim');
    const answer = await serve(['--on', `*=exec:printf '{"content":{"env":"%s"}}' "$(env | grep -c MX2S)"`], {
      env,
    });
    await sendToServer(defined(answer.ready), 'x.y', {});
    expect(await answer.stdout.until(/"out"/)).toContain('"content":{"env":"0"}');
  });

  it('reach web services', async () => {
    const service = await startServer({ allowRegistration: true });
    onTestFinished(() => service.stop());
    const url = `${service.homeserver}/_matrix/client/v3/register`;
    const { ready, stderr } = await serve(['--on', `*=${url}`]);
    await sendToServer(defined(ready), 'org.example.x', {});
    expect(await stderr.until(/\n/)).toContain('the web service answered 401');
  });

  it('take no longer than --handler-timeout', async () => {
    const { ready, stderr } = await serve(['--on', '*=exec:sleep 300', '--handler-timeout', '50ms'], {
      env: { PATH: process.env['PATH'] },
    });
    await sendToServer(defined(ready), 'org.example.x', {});
    expect(await stderr.until(/\n/)).toContain('failed: no answer within 50 ms');
  });
});

describe('registration', () => {
  it.each([
    [['--allow-registration'], 401],
    [[], 403],
  ])('with %j answers %i', async (args, status) => {
    const ready = defined((await serve(args)).ready);
    expect((await call(ready, 'POST', '/register', { username: 'carol' })).status).toBe(status);
  });
});

describe('--env-file', () => {
  it('gives a shell all that mx2s needs, to its owner, until the server stops', async () => {
    const file = join(await tempDir(), 'mx2s.env');
    const { ready, signal, done } = await serve(['--env-file', file]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { homeserver, server_name, users } = defined(ready);
    const script = `. ${file}; for name in HOMESERVER SERVER_NAME USER_ID DEVICE_ID ACCESS_TOKEN OTHER_USER_ID OTHER_DEVICE_ID OTHER_ACCESS_TOKEN; do eval "echo \\$MX2S_$name"; done`;
    expect(execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' }).trim().split('\n')).toEqual([
      homeserver,
      server_name,
      ...users.flatMap(({ user_id, device_id, access_token }) => [user_id, device_id, access_token]),
    ]);
    signal('SIGTERM');
    await done;
    await expect(stat(file)).rejects.toThrow('ENOENT');
  });
});

describe('the end', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('is clean on %s, status 0', async (name) => {
    const { ready, signal, done } = await serve();
    signal(name);
    expect(await done).toMatchObject({ code: 0, stderr: '' });
    await expect(call(defined(ready), 'GET', '/account/whoami')).rejects.toThrow();
  });

  it('comes quietly when the reader of stdout goes away', async () => {
    const { ready, done } = await serve([], { breakStdout: { code: 'EPIPE', afterWrites: 1 } });
    await sendToServer(defined(ready), 'org.example.x', {});
    expect(await done).toMatchObject({ code: 0, stderr: '' });
  });

  it('does not wait for a handler', async () => {
    const { ready, signal, done } = await serve(['--on', '*=exec:sleep 300'], {
      env: { PATH: process.env['PATH'] },
    });
    await sendToServer(defined(ready), 'org.example.x', {});
    signal('SIGTERM');
    expect((await done).code).toBe(0);
  });
});

describe('refuses', () => {
  it.each<[args: string[], message: string]>([
    [['--port', '65536'], '--port: there is no port 65536'],
    [['--port', 'http'], '--port'],
    [['--server-name', 'exa_mple'], 'is not a valid server name'],
    [['--server-name', `${'a.'.repeat(126)}aa`], 'longer than 255 bytes'],
    [['--user', ''], '--user: "" is no user name: the localpart is empty'],
    [['--user', 'Alice'], '--user: "Alice" is no user name'],
    [['--user', 'a:b'], '--user: "a:b" is no user name'],
    [['--user', 'a', '--user', 'a'], 'the user a is named twice'],
    [['--on', 'x'], '--on'],
    [['--on', 'x=ftp://h.test/s'], "--on: 'ftp://h.test/s' is no handler"],
    [['--on', 'x=nats://h.test/a.*'], "--on: 'nats://h.test/a.*' names no subject of a NATS server"],
    [['--nats-creds', 'a.creds'], '--nats-creds goes with a nats:// handler'],
    [
      ['--on', 'x=nats://h.test/s', '--nats-creds', '/dev/null/a.creds'],
      'cannot read the NATS credentials from /dev/null/a.creds',
    ],
    [['--on', 'x=nats://h.test/s', '--nats-creds', '/dev/null'], '/dev/null holds no NATS credentials'],
    [['--handler-timeout', '0'], '--handler-timeout'],
    [['--handler-concurrency', '0'], '--handler-concurrency'],
    [['--rate-limit', '5'], "--rate-limit: '5' is no rate"],
    [['--rate-limit', '0/s'], '--rate-limit'],
    [['--log', '/dev/null/log'], 'cannot write the event log to /dev/null/log'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['serve', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(JSON.stringify(message).slice(1, -1));
  });

  it('an argument that is no command behind --', async () => {
    const { code, stderr } = await runCli(['serve', 'true']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('behind --')]);
  });

  it('a place for --env-file that is not there, and makes none', async () => {
    const directory = await tempDir();
    const { code, stderr } = await runCli(['serve', '--env-file', join(directory, 'no', 'such')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no such directory')]);
    await expect(stat(join(directory, 'no'))).rejects.toThrow('ENOENT');
  });

  it('a port that is taken', async () => {
    const { server_name } = defined((await serve()).ready);
    const port = defined(server_name.split(':')[1]);
    const { code, stderr } = await runCli(['serve', '--port', port]);
    expect(code).toBe(2);
    expect(stderr).toContain(`cannot listen on 127.0.0.1:${port}: the port is taken`);
  });

  it('nothing, but warns, where others can reach it', async () => {
    const { code, stderr } = await runCli(['serve', '--host', '192.0.2.1', '--text']); // nobody's address (RFC 5737)
    expect(code).toBe(2);
    expect(stderr).toMatch(/^warning: 192\.0\.2\.1 can be reached from other machines/);
  });
});

describe('serve -- CMD', () => {
  async function wrapped(command: string[], options: { args?: string[]; env?: Record<string, string> } = {}) {
    const home = await tempDir();
    const running = startBinary(['serve', ...(options.args ?? []), '--', ...command], {
      home,
      env: options.env,
    });
    onTestFinished(() => running.stop());
    return running;
  }

  it('gives the command stdout, and an environment in which mx2s is logged in', async () => {
    const script = 'env | grep ^MX2S_ | grep -v CONFIG_DIR | cut -d = -f 1 | sort';
    const { result } = await wrapped(['sh', '-c', script], {
      env: { MX2S_ACCESS_TOKEN_FILE: '/of/another', MX2S_OTHER_USER_ID: '@another:hs.test' },
    });
    expect(await result).toMatchObject({ code: 0, stderr: '' });
    expect((await result).stdout.trim().split('\n')).toEqual([
      'MX2S_ACCESS_TOKEN',
      'MX2S_DEVICE_ID',
      'MX2S_HOMESERVER',
      'MX2S_OTHER_ACCESS_TOKEN',
      'MX2S_OTHER_DEVICE_ID',
      'MX2S_OTHER_USER_ID',
      'MX2S_SERVER_NAME',
      'MX2S_USER_ID',
    ]);
  });

  it('speaks of no second user where there is none', async () => {
    const { result } = await wrapped(
      ['sh', '-c', 'echo "$MX2S_USER_ID:$MX2S_OTHER_USER_ID:$MX2S_OTHER_ACCESS_TOKEN"'],
      {
        args: ['--user', 'carol', '--server-name', 'example.org'],
        env: { MX2S_OTHER_USER_ID: '@another:hs.test', MX2S_OTHER_ACCESS_TOKEN: 'anothers' },
      },
    );
    expect((await result).stdout).toBe('@carol:example.org::\n');
  });

  it.each([
    [['sh', '-c', 'exit 7'], 7],
    [['true'], 0],
    [['sh', '-c', 'kill -KILL $$'], 137],
    [['sh', '-c', 'kill -TERM $$'], 143],
  ])('%j ends with %i', async (command, code) => {
    const { result } = await wrapped(command);
    expect(await result).toMatchObject({ code, stdout: '', stderr: '' });
  });

  it('passes flags after -- on', async () => {
    const { result } = await wrapped(['printf', '%s,', '--port', '-q', '--', '--json']);
    expect((await result).stdout).toBe('--port,-q,--,--json,');
  });

  it('ends with 127 when there is no such command', async () => {
    const { result } = await wrapped(['nonesuch-command'], { args: ['--text'] });
    expect(await result).toMatchObject({ code: 127, stdout: '' });
    expect((await result).stderr).toMatch(/mx2s: cannot run nonesuch-command: there is no such command\n$/);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('passes %s on, and waits for the command', async (signal) => {
    const script = `trap 'echo got it; exit 3' ${signal.slice(3)}; echo ready; while :; do sleep 0.01; done`;
    const running = await wrapped(['sh', '-c', script]);
    await running.lineOf('stdout', /ready/);
    running.kill(signal);
    expect(await running.result).toMatchObject({ code: 3, stdout: 'ready\ngot it\n' });
  });

  it('logs to --log only', async () => {
    const file = join(await tempDir(), 'log');
    const script = `node -e '
      fetch(process.env.MX2S_HOMESERVER + "/_matrix/client/v3/sendToDevice/t/1", {
        method: "PUT",
        headers: { authorization: "Bearer " + process.env.MX2S_ACCESS_TOKEN },
        body: JSON.stringify({ messages: { "@:example.org": { "": {} } } }),
      }).then((response) => response.text()).then(console.log)'`;
    const { result } = await wrapped(['sh', '-c', script], {
      args: ['--server-name', 'example.org', '--log', file],
    });
    expect(await result).toMatchObject({ code: 0, stdout: '{}\n' });
    expect(await readFile(file, 'utf8')).toMatch(/^{"v":1,"direction":"in",.*"outcome":"dropped"}\n$/);
  });

  it('works as a process of its own', async () => {
    const home = await tempDir();
    const { code, stdout } = await runBinary(['serve', '--help'], { home });
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: mx2s serve [options] [-- command...]');
  });
});
