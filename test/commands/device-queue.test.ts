import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, startLoopbackServer, type Respond } from '../http/loopback-server.js';
import { runCli, startCli, type Finished } from '../kit/run-cli.js';
import {
  asDevice,
  deviceAt,
  EVENT,
  eventsAnswer,
  linesIn,
  numbersIn,
  openDeviceKit,
  publishKeys,
} from './device-kit.js';

describe('a device', () => {
  it('is read by one process at a time', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const running = kit.start(['listen']);
    await running.stdout.until(/\n/);
    const second = await kit.run(['listen', '--drain']);
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining('device_locked')]);
    expect((await kit.run(['listen', '--discard'])).code).toBe(2);
    expect((await kit.run(['request', kit.serverUser, '-t', 't'])).code).toBe(2);
    running.signal('SIGINT');
    await running.done;
    expect((await kit.run(['listen', '--drain'])).code).toBe(0);
  });

  it('with published keys belongs to another client', async () => {
    const kit = await openDeviceKit();
    await publishKeys(kit.server.homeserver, kit.env['MX2S_ACCESS_TOKEN'] ?? '');
    await kit.fill(1);
    for (const argv of [
      ['listen', '--drain'],
      ['listen', '--discard'],
      ['request', kit.serverUser, '-t', 't'],
    ]) {
      const refused = await kit.run(argv);
      expect([refused.code, refused.stdout]).toEqual([2, '']);
      expect(refused.stderr).toContain('"shared_device"');
    }
    expect(numbersIn(await kit.run(['listen', '--peek']))).toEqual([1]);
    expect(numbersIn(await kit.run(['listen', '--drain', '--shared-device']))).toEqual([1]);
  });

  it('that mx2s made is ours, whatever keys it has', async () => {
    const kit = await openDeviceKit();
    const { MX2S_CONFIG_DIR = '' } = kit.env;
    const password = join(kit.folder, 'password');
    await writeFile(password, kit.server.users[0]?.password ?? '');
    const env = { MX2S_CONFIG_DIR };
    const login = ['login', kit.server.homeserver, '--user', 'alice', '--password-file', password];
    expect((await runCli(login, { env })).code).toBe(0);
    const profiles = await readFile(join(MX2S_CONFIG_DIR, 'profiles.json'), 'utf8');
    const [, token = ''] = /"access_?token":\s*"([^"]+)"/i.exec(profiles) ?? [];
    await publishKeys(kit.server.homeserver, token);
    const finished = await runCli(['listen', '--drain'], { env });
    expect([finished.code, finished.stderr]).toEqual([0, '']);
  });

  it('of a server user has no keys, and is not asked for any (R-8)', async () => {
    const sync = asDevice(() => ({ next_batch: 's1' }));
    const server = await startLoopbackServer((asked, response, index) =>
      asked.path.includes('/whoami')
        ? json(response, 200, { user_id: '@:example.org', device_id: 'D' })
        : sync(asked, response, index),
    );
    const { env } = await deviceAt(server.url);
    expect((await runCli(['listen', '--drain'], { env })).code).toBe(0);
    expect(server.asked.filter(({ path }) => path.includes('/keys/'))).toEqual([]);
  });

  it('is needed', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@a:example.org' }),
    );
    const { env } = await deviceAt(server.url);
    for (const flags of [[], ['--peek']]) {
      const { code, stderr } = await runCli(['listen', ...flags], { env });
      expect([code, stderr]).toEqual([2, expect.stringContaining('no device')]);
    }
  });
});

describe('the connection', () => {
  it('is told once when it is lost and once when it is back', async () => {
    const sync = asDevice((count) => ({
      next_batch: `s${count}`,
      ...(count < 2 ? {} : { to_device: { events: [EVENT] } }),
    }));
    let syncs = 0;
    const server = await startLoopbackServer((asked, response, index) => {
      if (!asked.path.includes('/sync')) sync(asked, response, index);
      else if ((syncs += 1) === 2) response.destroy();
      else if (syncs === 3) response.writeHead(502).end('<html>');
      else sync(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    const finished = await runCli(['listen', '--count', '1'], { env });
    expect([finished.code, linesIn(finished).length]).toEqual([0, 1]);
    expect(finished.stderr).toMatch(/^the connection is lost, .*\nthe connection is back\n$/);
  });

  it('is given up after --max-offline', async () => {
    const sync = asDevice(() => ({ next_batch: 's1' }));
    let syncs = 0;
    const server = await startLoopbackServer((asked, response, index) => {
      if (asked.path.includes('/sync') && (syncs += 1) > 1) response.destroy();
      else sync(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    const { code, stderr } = await runCli(['listen', '--max-offline', '100ms'], { env });
    expect([code, stderr]).toEqual([5, expect.stringMatching(/^the connection is lost.*\n.*"network".*\n$/)]);
  });

  it('that is never there is exit 5 after --retries', async () => {
    const { env } = await deviceAt('http://127.0.0.1:1');
    const { code, stderr } = await runCli(['listen', '--retries', '0'], { env });
    expect([code, stderr]).toEqual([5, expect.stringContaining('"network"')]);
  });

  it('that is not there in the time given is told, and exit 124 where there was a goal', async () => {
    const server = await startLoopbackServer(() => undefined);
    const { env } = await deviceAt(server.url);
    const { code, stderr } = await runCli(['listen', '--timeout', '50ms'], { env });
    expect([code, stderr]).toEqual([0, expect.stringContaining('the homeserver did not answer')]);
    expect((await runCli(['listen', '--timeout', '50ms', '--count', '1'], { env })).code).toBe(124);
  });

  it('can be interrupted before it is there', async () => {
    const server = await startLoopbackServer(() => undefined);
    const { env } = await deviceAt(server.url);
    const running = startCli(['listen'], { env });
    await server.arrived(1);
    running.signal('SIGINT');
    expect(await running.done).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it.each([
    [401, { errcode: 'M_UNKNOWN_TOKEN' }, [], 4, 'token_refused'],
    [429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 60_000 }, ['--max-wait', '1s'], 6, 'rate_limited'],
    [403, { errcode: 'M_FORBIDDEN' }, [], 1, 'refused'],
    [500, {}, ['--retries', '0'], 5, 'server_error'],
  ])('that is answered %i ends it', async (status, body, flags, expected, errorCode) => {
    const server = await startLoopbackServer((asked, response, index) =>
      asked.path.includes('/sync')
        ? json(response, status, body)
        : asDevice(() => ({}))(asked, response, index),
    );
    const { env } = await deviceAt(server.url);
    const { code, stderr } = await runCli(['listen', '--drain', ...flags], { env });
    expect([code, JSON.parse(stderr)]).toMatchObject([expected, { error: { code: errorCode } }]);
  });

  it('ends it when the token is refused in the middle', async () => {
    const sync = asDevice(() => ({ next_batch: 's1' }));
    let syncs = 0;
    const server = await startLoopbackServer((asked, response, index) => {
      if (asked.path.includes('/sync') && (syncs += 1) > 1) {
        json(response, 401, { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true });
      } else sync(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    expect((await runCli(['listen'], { env })).code).toBe(4);
  });

  it('waits out a rate limit without a word', async () => {
    const sync = asDevice(() => ({ next_batch: 's1' }));
    let syncs = 0;
    const server = await startLoopbackServer((asked, response, index) => {
      if (asked.path.includes('/sync') && (syncs += 1) === 1) {
        json(response, 429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1 });
      } else sync(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    expect(await runCli(['listen', '--drain'], { env })).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('odd answers', () => {
  it.each([
    ['no to_device', { next_batch: 's1' }, []],
    ['content that is null', eventsAnswer({ ...EVENT, content: null }), [{ content: null }]],
    ['content that is a string', eventsAnswer({ ...EVENT, content: 'x' }), [{ content: 'x' }]],
    ['content that is a list', eventsAnswer({ ...EVENT, content: [1] }), [{ content: [1] }]],
    ['no content', eventsAnswer({ sender: '@:example.org', type: 't' }), [{ content: null }]],
    ['no sender', eventsAnswer({ type: 't', content: {} }), [{ sender: null, server_user: false }]],
    ['no type', eventsAnswer({ sender: '@:example.org', content: {} }), [{ type: null, server_user: true }]],
    ['a sender that is no string', eventsAnswer({ ...EVENT, sender: 7 }), [{ sender: null }]],
    ['a sender that is no user ID', eventsAnswer({ ...EVENT, sender: '@\u0000' }), [{ sender: '@\u0000' }]],
    ['an item that is no event', eventsAnswer('x'), []],
    ['a repeat', eventsAnswer(EVENT, EVENT), [EVENT, EVENT]],
  ])('with %s are survived (R-1)', async (_what, answer, expected) => {
    const finished = await drained(asDevice((count) => (count === 0 ? answer : { next_batch: 's2' })));
    expect(finished.code).toBe(0);
    expect(linesIn(finished)).toMatchObject(expected);
    expect(linesIn(finished)).toHaveLength(expected.length);
  });

  it('with big integers and lone surrogates are passed on as they came', async () => {
    const content = String.raw`{"n":9007199254740993,"f":1.0,"half":"\ud800"}`;
    const finished = await drained((asked, response, index) => {
      if (!asked.path.includes('/sync') || index > 2)
        return asDevice(() => ({ next_batch: 's2' }))(asked, response, index);
      const event = `{"sender":"@:x","type":"t","content":${content}}`;
      response.writeHead(200).end(`{"next_batch":"s1","to_device":{"events":[${event}]}}`);
    });
    expect(finished.stdout).toContain(`"content":${content},`);
  });

  it('that are not Matrix are exit 5', async () => {
    const finished = await drained((asked, response, index) =>
      asked.path.includes('/sync')
        ? response.writeHead(200).end('<html>')
        : asDevice(() => ({}))(asked, response, index),
    );
    expect([finished.code, finished.stderr]).toEqual([5, expect.stringContaining('malformed_response')]);
  });

  async function drained(respond: Respond): Promise<Finished> {
    const server = await startLoopbackServer(respond);
    const { env } = await deviceAt(server.url);
    return runCli(['listen', '--drain', '--any-sender'], { env });
  }
});
