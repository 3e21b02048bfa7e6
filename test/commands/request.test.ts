import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readFlags } from '../../src/commands/define.js';
import { addGlobalFlags, parseGlobals } from '../../src/commands/globals.js';
import { request } from '../../src/commands/request.js';
import { parseRequestOptions, type RequestOptions } from '../../src/commands/request-options.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { runCli } from '../kit/run-cli.js';
import { asDevice, deviceAt, EVENT, eventsAnswer, linesIn, numbersIn, openDeviceKit } from './device-kit.js';

const TYPE = ['-t', 'org.example.a'];

describe('the command line', () => {
  it.each<[string[], object]>([
    [
      ['@:example.org', '-t', 't'],
      {
        recipient: { to: '@:example.org', device: '' },
        type: 't',
        data: '{}',
        isTemplate: false,
        matches: [],
        replies: 1,
        timeoutMs: 10_000,
        raw: false,
        sharedDevice: false,
      },
    ],
    [
      ['@alice:example.org', '--device', 'D', '-t', 't', '-d', '@file', '-W', '1m', '--replies', '3'],
      { recipient: { device: 'D' }, data: '@file', timeoutMs: 60_000, replies: 3 },
    ],
    [
      ['@:a', '-t', 't', '--template', '--match', '/a=1', '--match', '/b={{txn_id}}', '--shared-device'],
      { isTemplate: true, matches: [{ pointer: ['a'] }, { pointer: ['b'] }], sharedDevice: true },
    ],
  ])('reads %j', (argv, expected) => {
    expect(optionsOf(argv)).toMatchObject(expected);
  });

  it.each<[string[], new (...args: never[]) => Error]>([
    [['-t', 't'], UsageError],
    [['@:a'], UsageError],
    [['alice', '-t', 't'], InvalidInputError],
    [['@alice:a', '-t', 't'], InvalidInputError],
    [['@:a', '-t', 't', '--match', 'a=1'], InvalidInputError],
    [['@:a', '-t', 't', '--replies', '0'], InvalidInputError],
    [['@:a', '-t', 't', '-W', 'soon'], InvalidInputError],
    [['@:a', '-t', 't', '-d', '@-', '--access-token-file', '-'], UsageError],
  ])('refuses %j', (argv, kind) => {
    expect(() => optionsOf(argv)).toThrow(kind);
  });

  function optionsOf(argv: readonly string[]): RequestOptions {
    const command = new Command('request').exitOverride().configureOutput({ writeErr: () => undefined });
    addGlobalFlags(command);
    request.configure(command);
    command.parse(argv, { from: 'user' });
    const flags = readFlags(command.opts());
    return parseRequestOptions({
      args: command.args,
      passedOn: [],
      flags,
      globals: parseGlobals(command.opts()),
    });
  }
});

describe('the answer', () => {
  it('is printed like an event of listen; the message is called accepted, never delivered', async () => {
    const kit = await openDeviceKit();
    const { code, stdout, stderr } = await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"n":1}']);
    expect(code).toBe(0);
    expect(stdout.replace(/"received_ts":\d{13}\}/, '"received_ts":0}')).toBe(
      `{"v":1,"sender":"${kit.serverUser}","type":"org.example.a","content":{"n":1},` +
        '"server_user":true,"own_server":true,"received_ts":0}\n',
    );
    expect(stderr).toMatch(
      /^the homeserver accepted the message \([0-9a-f-]{36}\), waiting for the answer\n$/,
    );
    expect(stderr).not.toContain('deliver');
  });

  it('may be text', async () => {
    const kit = await openDeviceKit();
    const { stdout } = await kit.run(['request', kit.serverUser, ...TYPE, '--text']);
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}@:\S+ {2}org\.example\.a {2}\{\}\n$/);
  });

  it('is not an event that waited already', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const finished = await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"n":3}']);
    expect(numbersIn(finished)).toEqual([3]);
    expect(finished.stderr).toMatch(/\n2 other events kept: .*\n$/);
    await kit.fill(4);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1, 2, 4]);
  });

  it('is not an event from anybody else, of another type, or with other content', async () => {
    const server = await startLoopbackServer(
      asDevice((count) =>
        count === 0
          ? { next_batch: 's0' }
          : eventsAnswer(
              { ...EVENT, sender: '@:example.com', content: { n: 1, id: 7 } },
              { ...EVENT, type: 'org.example.b', content: { n: 2, id: 7 } },
              { ...EVENT, content: { n: 3, id: 8 } },
              { ...EVENT, content: { n: 4, id: 7 } },
              { ...EVENT, content: { n: 5, id: 7 } },
            ),
      ),
    );
    const { env } = await deviceAt(server.url);
    const finished = await runCli(
      ['request', '@:example.org', ...TYPE, '--reply-type', '*.a', '--match', '/id=7'],
      { env },
    );
    expect([finished.code, numbersIn(finished)]).toEqual([0, [4]]);
    expect(numbersIn(await runCli(['listen', '--count', '4', '--any-sender'], { env }))).toEqual([
      1, 2, 3, 5,
    ]);
  });

  it('may be several', async () => {
    const server = await startLoopbackServer(
      asDevice((count) => (count === 0 ? { next_batch: 's0' } : eventsAnswer(EVENT, EVENT, EVENT))),
    );
    const { env } = await deviceAt(server.url);
    const finished = await runCli(['request', '@:example.org', ...TYPE, '--replies', '2'], { env });
    expect([finished.code, linesIn(finished)]).toEqual([
      0,
      [EVENT, EVENT].map((e) => expect.objectContaining(e) as unknown),
    ]);
  });

  it('that does not come is exit 124, and what came in its place is kept', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    await kit.fromBob(1);
    const { code, stdout, stderr } = await kit.run(['request', kit.serverUser, ...TYPE, '-W', '100ms']);
    expect([code, stdout]).toEqual([124, '']);
    const error = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as unknown;
    expect(error).toMatchObject({
      error: { code: 'deadline', message: expect.stringContaining('0.1 s') as unknown },
    });
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual([1]);
  });

  it('that could not be printed comes again', async () => {
    const kit = await openDeviceKit();
    const broken = await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"n":1}'], {
      breakStdout: { code: 'EPIPE', afterWrites: 0 },
    });
    expect(broken.code).toBe(0);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('is no longer waited for after %s: %i', async (signal, expected) => {
    const kit = await openDeviceKit({ handlers: [] });
    const running = kit.start(['request', kit.serverUser, ...TYPE]);
    await running.stderr.until(/accepted/);
    running.signal(signal);
    expect((await running.done).code).toBe(expected);
  });
});

describe('the content', () => {
  it('comes from a file, or from stdin', async () => {
    const kit = await openDeviceKit();
    const file = join(kit.folder, 'content.json');
    await writeFile(file, '{"n":1}');
    expect(numbersIn(await kit.run(['request', kit.serverUser, ...TYPE, '-d', `@${file}`]))).toEqual([1]);
    const piped = await kit.run(['request', kit.serverUser, ...TYPE, '-d', '@-'], { stdin: '{"n":2}' });
    expect(numbersIn(piped)).toEqual([2]);
  });

  it('is filled with --template, and so is what the answer is matched with', async () => {
    const kit = await openDeviceKit();
    const finished = await kit.run([
      ...['request', kit.serverUser, ...TYPE, '--template', '--match', '/id={{txn_id}}'],
      ...['-d', '{"id":"{{txn_id}}","device":"{{device_id}}","other":"{{other}}"}'],
    ]);
    const [txnId = ''] = /[0-9a-f-]{36}/.exec(finished.stderr) ?? [];
    const device = kit.server.users[0]?.deviceId;
    expect(linesIn(finished)).toMatchObject([{ content: { id: txnId, device, other: '{{other}}' } }]);
  });

  it('is left alone without it', async () => {
    const kit = await openDeviceKit();
    const finished = await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"id":"{{txn_id}}"}']);
    expect(linesIn(finished)).toMatchObject([{ content: { id: '{{txn_id}}' } }]);
  });

  it.each([
    ['[1]', 'not an object'],
    ['{"n":1.5}', 'not an integer'],
    ['{', 'not JSON'],
  ])('%s is refused before anything is read or sent', async (data, told) => {
    const server = await startLoopbackServer(asDevice(() => ({ next_batch: 's' })));
    const { env } = await deviceAt(server.url);
    const { code, stderr } = await runCli(['request', '@:a', ...TYPE, '-d', data, '--template'], { env });
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
    expect(server.asked).toEqual([]);
  });

  it('gets the warnings of send', async () => {
    const kit = await openDeviceKit();
    const { stderr } = await kit.run(['request', kit.serverUser, '-t', 'm.mls.message', '--device', '*']);
    expect(stderr).toMatch(/^warning: .*"\*"/m);
    expect(stderr).toMatch(/^warning: .*m\.mls\.message/m);
  });
});

describe('the queue', () => {
  it('is read from the stored position, and acknowledged', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    await kit.run(['listen', '--count', '1']);
    await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"n":3}']);
    expect(numbersIn(await kit.run(['listen', '--peek']))).toEqual([]);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([2]);
  });

  it('is read over the API that the position came from', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    await kit.run(['listen', '--count', '1', '--sync', 'sliding']);
    await kit.run(['request', kit.serverUser, ...TYPE, '-d', '{"n":3}']);
    expect(numbersIn(await kit.run(['listen', '--drain', '--sync', 'sliding']))).toEqual([2]);
  });

  it('is read before the message is sent, and the lock is given back', async () => {
    const server = await startLoopbackServer((asked, response, index) => {
      if (asked.method === 'PUT') json(response, 403, { errcode: 'M_FORBIDDEN', error: 'no' });
      else asDevice(() => ({ next_batch: 's1' }))(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    for (let round = 0; round < 2; round += 1) {
      const { code, stderr } = await runCli(['request', '@:a', ...TYPE], { env });
      expect([code, stderr]).toEqual([1, expect.stringContaining('M_FORBIDDEN')]);
    }
    expect(
      server.asked.filter(({ path: asked }) => /sync|Device/.test(asked)).map(({ method }) => method),
    ).toEqual(['GET', 'PUT', 'GET', 'PUT']);
  });

  it('is kept in a private file', async () => {
    const kit = await openDeviceKit();
    await kit.fromBob(1);
    await kit.run(['request', kit.serverUser, ...TYPE]);
    const spool = (await kit.stateFiles()).find((file) => file.includes('spools')) ?? '';
    expect((await stat(join(kit.folder, 'mx2s', spool))).mode & 0o777).toBe(0o600);
  });
});
