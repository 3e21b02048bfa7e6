/** `serve --data`: what is to outlive the process. */
import { readFile, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { parseUserId } from '../../src/ids/user-id.js';
import type { DeviceId } from '../../src/ids/device-id.js';
import { hashMadeUpPassword } from '../../src/server/passwords.js';
import { hashToken } from '../../src/server/tokens.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { compactJson } from '../../src/wire/json.js';
import { startBinary } from '../kit/binary.js';
import { runCli } from '../kit/run-cli.js';
import {
  call,
  defined,
  sendTo,
  sendToServer,
  serve,
  tempDir,
  type Ready,
  type Serving,
} from './serve-kit.js';

const NAME = 'example.org';
const MARK = 'a mark that stands in no other place';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await tempDir();
  file = join(directory, 'server.db');
});

/** Starts the server of the file, or starts it again. */
async function start(...flags: readonly string[]): Promise<Serving & { readonly ready: Ready }> {
  const serving = await serve(['--data', file, '--server-name', NAME, ...flags]);
  return { ...serving, ready: defined(serving.ready) };
}

async function eventsFor(ready: Ready, index: number): Promise<unknown[]> {
  const user = ready.users[index];
  const answer = await (await call(ready, 'GET', '/sync', undefined, user)).json();
  return (answer as { to_device?: { events: unknown[] } }).to_device?.events ?? [];
}

/** Is the mark in any file there? */
async function leavesTrace(): Promise<boolean> {
  const files = (await readdir(directory, { withFileTypes: true })).filter((entry) => entry.isFile());
  const texts = await Promise.all(files.map(({ name }) => readFile(join(directory, name))));
  return texts.some((bytes) => bytes.includes(MARK));
}

describe('started again', () => {
  it('has the same devices, a fresh token for each, and says no password again', async () => {
    const first = await start();
    await first.stop();
    const second = await start();
    for (const [index, user] of second.ready.users.entries()) {
      const before = defined(first.ready.users[index]);
      expect(user).toEqual({
        user_id: before.user_id,
        device_id: before.device_id,
        access_token: expect.any(String),
      });
      expect(before.password).toEqual(expect.any(String));
      expect(user.access_token).not.toBe(before.access_token);
      for (const each of [before, user]) {
        const whoami = await (await call(second.ready, 'GET', '/account/whoami', undefined, each)).json();
        expect(whoami).toMatchObject({ user_id: user.user_id, device_id: user.device_id });
      }
    }
    const { user_id: user, password } = defined(first.ready.users[0]);
    const identifier = { type: 'm.id.user', user };
    const login = await call(second.ready, 'POST', '/login', {
      type: 'm.login.password',
      identifier,
      password,
    });
    expect(login.status).toBe(200);
  });

  it('makes the users that are new, and the first device of one who logged it out', async () => {
    const first = await start('--user', 'alice');
    await call(first.ready, 'POST', '/logout');
    await first.stop();
    const { ready } = await start('--user', 'alice', '--user', 'carol');
    expect(ready.users).toEqual([
      { ...first.ready.users[0], access_token: expect.any(String), password: undefined },
      expect.objectContaining({ user_id: `@carol:${NAME}`, password: expect.any(String) }),
    ]);
    expect((await call(ready, 'GET', '/account/whoami')).status).toBe(200);
  });

  it('R-29: has what waits for its users, and knows what it has taken', async () => {
    const first = await start('--on', 'org.example.*=echo');
    const bob = defined(first.ready.users[1]).user_id;
    await sendTo(first.ready, bob, '*', 'org.example.x', { n: 1 }, '1');
    await sendToServer(first.ready, 'org.example.x', { n: 2 }, '2');
    await first.stop();
    const { ready } = await start();
    expect(await eventsFor(ready, 1)).toMatchObject([{ content: { n: 1 } }]);
    expect(await eventsFor(ready, 0)).toMatchObject([{ sender: `@:${NAME}`, content: { n: 2 } }]);
    await sendTo(ready, bob, '*', 'org.example.x', { n: 1 }, '1');
    expect(await eventsFor(ready, 1)).toHaveLength(1);
  });

  it('signs with the same key, or with the one that it is given', async () => {
    const keysOf = async ({ ready }: { ready: Ready }) => {
      const answer = await fetch(`${ready.homeserver}/_matrix/key/v2/server`);
      return Object.keys(((await answer.json()) as { verify_keys: object }).verify_keys);
    };
    const first = await start();
    const keys = await keysOf(first);
    await first.stop();
    const second = await start();
    expect(await keysOf(second)).toEqual(keys);
    await second.stop();
    const keyFile = join(directory, 'key');
    const { stdout } = await runCli(['keygen', keyFile]);
    const third = await start('--signing-key', keyFile);
    expect(await keysOf(third)).toEqual([(JSON.parse(stdout) as { key_id: string }).key_id]);
  });
});

describe('the file', () => {
  it('R-31: never holds what is for the server, not even for a moment', async () => {
    const { ready, stdout, stop } = await start(
      '--on',
      'org.example.handled=reply:{}',
      '--on',
      'org.example.fails=exec:exit 1',
    );
    for (const [index, type] of ['handled', 'unknown', 'fails'].entries()) {
      await sendToServer(ready, `org.example.${type}`, { mark: MARK }, String(index));
    }
    await sendTo(ready, `@:${NAME}`, '*', 'org.example.handled', { mark: MARK }, 'star');
    await stdout.until(/failed/);
    expect(await leavesTrace()).toBe(false);
    await stop();
    expect(await leavesTrace()).toBe(false);

    const again = await start();
    expect(await eventsFor(again.ready, 0)).toMatchObject([{ content: {} }, { content: {} }]);
    await sendTo(again.ready, defined(again.ready.users[1]).user_id, '*', 't', { mark: MARK }, 'user');
    expect(await leavesTrace()).toBe(true); // the search finds what is there
  });

  it('R-21: loses the account that the server was, with its tokens, devices and messages', async () => {
    const store = await openSqliteStore(file);
    const userId = parseUserId(`@:${NAME}`);
    const device = { userId, deviceId: 'DEV' as DeviceId, displayName: undefined };
    const tokens = {
      accessTokenHash: hashToken('secret'),
      refreshTokenHash: hashToken('renew'),
      expiresTs: undefined,
    };
    await store.createAccount({ userId, passwordHash: hashMadeUpPassword('password') });
    await store.openSession(device, tokens, { revokeOthers: false });
    const messages = [{ userId, named: new Map(), others: compactJson(JSON.stringify({ mark: MARK })) }];
    await store.deliver({ sender: parseUserId('@zed:a.test'), type: 't', messages });
    await store.close();
    expect(await leavesTrace()).toBe(true);

    const { ready, stderr, stdout } = await start('--on', 'org.example.*=reply:{}');
    expect(stderr.text).toBe(`@:${NAME} was an account; now it is the server, and its devices are gone\n`);
    expect(await leavesTrace()).toBe(false);
    const statusOf = async (path: string, body?: unknown, token = 'secret') =>
      (await call(ready, body === undefined ? 'GET' : 'POST', path, body, { access_token: token })).status;
    expect(await statusOf('/account/whoami')).toBe(401);
    expect(await statusOf('/refresh', { refresh_token: 'renew' })).toBe(401);
    for (const user of ['', `@:${NAME}`]) {
      const identifier = { type: 'm.id.user', user };
      expect(await statusOf('/login', { type: 'm.login.password', identifier, password: 'password' })).toBe(
        403,
      );
    }
    await sendToServer(ready, 'org.example.x', {});
    expect(await stdout.until(/"out".*\n/)).toContain('"outcome":"handled"');
  });

  it('is of one server at a time, by whatever name it is called', async () => {
    await start();
    const link = join(directory, 'link.db');
    await symlink(file, link);
    for (const path of [file, link]) {
      const { code, stderr } = await runCli(['serve', '--data', path, '--server-name', NAME, '--text']);
      expect([code, stderr]).toEqual([
        2,
        expect.stringMatching(
          /^hint: stop process \d+, or give each server a file of its own\nmx2s: another mx2s \(process \d+\) serves from .*\n$/,
        ),
      ]);
    }
  });

  it('can be served from again when the one who did was killed', async () => {
    const flags = ['serve', '--data', file, '--server-name', NAME];
    const killed = startBinary(flags, { home: directory });
    onTestFinished(() => killed.stop());
    const ready = JSON.parse(await killed.lineOf('stdout', /ready/)) as Ready;
    await sendTo(ready, defined(ready.users[1]).user_id, '*', 't', { n: 1 });
    await killed.stop();
    const again = await start();
    expect(await eventsFor(again.ready, 1)).toMatchObject([{ content: { n: 1 } }]);
  });

  it('is let go when the server cannot be started', async () => {
    const { ready } = await serve();
    const port = new URL(defined(ready).homeserver).port;
    const { code } = await runCli(['serve', '--data', file, '--server-name', NAME, '--port', port]);
    expect(code).toBe(2);
    await start();
  });

  it('is of one server name for good', async () => {
    await (await start()).stop();
    const { code, stderr } = await runCli(['serve', '--data', file, '--server-name', 'other.test', '--text']);
    expect([code, stderr]).toEqual([
      2,
      'hint: name it example.org, or give each server data of its own\n' +
        'mx2s: the data is of the server example.org, which cannot become other.test\n',
    ]);
    await start();
  });

  it('is asked for elsewhere when its lock cannot stand beside it', async () => {
    const path = join(directory, 'x'.repeat(250)); // a name that becomes too long
    const { code, stderr } = await runCli(['serve', '--data', path, '--server-name', NAME, '--text']);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^hint: name a file in a directory that you may write to, where its lock can stand beside it\nmx2s: cannot open the database .*: ENAMETOOLONG: .*\n$/,
      ),
    ]);
  });

  it.each<[flags: string[], message: string]>([
    [['--data', 'x.db'], '--data needs --server-name'],
    [['--data', '/no/such/x.db', '--server-name', NAME], 'cannot open the database /no/such/x.db'],
    [['--data', '/dev', '--server-name', NAME], 'cannot open the database /dev'],
  ])('%j is refused', async (flags, message) => {
    const { code, stderr } = await runCli(['serve', ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
