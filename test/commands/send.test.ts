import { chmod, readFile, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { Command } from 'commander';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readFlags } from '../../src/commands/define.js';
import { addGlobalFlags, parseGlobals } from '../../src/commands/globals.js';
import { send } from '../../src/commands/send.js';
import { parseSendOptions, type SendOptions } from '../../src/commands/send-options.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';
import { startServer } from '../../src/server/listen.js';
import { json, startLoopbackServer, type LoopbackServer, type Respond } from '../http/loopback-server.js';
import { runCli, startCli, type Finished, type RunSettings, type Running } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

const TO_SERVER = ['@:example.org', '-t', 'org.example.whatever'];

describe('the command line', () => {
  it.each<[string[], Partial<SendOptions>]>([
    [
      TO_SERVER,
      {
        kind: 'one',
        recipient: { to: '@:example.org', device: '' },
        type: 'org.example.whatever',
        data: '{}',
        txnId: undefined,
        action: 'send',
      } as unknown as SendOptions,
    ],
    [
      [...TO_SERVER, '--device', ''],
      { recipient: { to: '@:example.org', device: '' } } as unknown as SendOptions,
    ],
    [
      [...TO_SERVER, '--device', '*'],
      { recipient: { to: '@:example.org', device: '*' } } as unknown as SendOptions,
    ],
    [
      [...TO_SERVER, '-d', '@file', '--txn-id', 't1'],
      { data: '@file', txnId: 't1' } as unknown as SendOptions,
    ],
    [[...TO_SERVER, '-n'], { action: 'dry-run' }],
    [[...TO_SERVER, '--dry-run', '--curl'], { action: 'curl' }],
    [
      [...TO_SERVER, '--ndjson'],
      {
        kind: 'many',
        form: {
          kind: 'content',
          recipient: { to: '@:example.org', device: '' },
          type: 'org.example.whatever',
        },
        concurrency: 1,
        failFast: false,
        action: 'send',
      } as unknown as SendOptions,
    ],
    [[...TO_SERVER, '--ndjson', '-j', '8', '--fail-fast'], { concurrency: 8, failFast: true }],
    [
      ['--ndjson', '--envelope'],
      { form: { kind: 'envelope', defaults: { to: undefined, device: undefined, type: undefined } } },
    ],
    [
      ['@alice:a', '--device', 'D', '-t', 't', '--ndjson', '--envelope'],
      {
        form: { kind: 'envelope', defaults: { to: '@alice:a', device: 'D', type: 't' } },
      } as unknown as SendOptions,
    ],
  ])('%j', (argv, expected) => {
    expect(optionsOf(argv)).toMatchObject(expected);
  });

  it.each([
    [[], UsageError, 'TO is missing'],
    [['@:a'], UsageError, '--type is missing'],
    [['-t', 't', '--ndjson'], UsageError, 'TO is missing'],
    [['@:a', '--ndjson'], UsageError, '--type is missing'],
    [[...TO_SERVER, '--envelope'], UsageError, '--envelope goes with --ndjson'],
    [[...TO_SERVER, '-j', '2'], UsageError, '--concurrency goes with --ndjson'],
    [[...TO_SERVER, '--fail-fast'], UsageError, '--fail-fast goes with --ndjson'],
    [[...TO_SERVER, '--ndjson', '-d', '{}'], UsageError, '--data does not go with --ndjson'],
    [[...TO_SERVER, '--ndjson', '--txn-id', 'x'], UsageError, '--txn-id does not go with --ndjson'],
    [[...TO_SERVER, '--ndjson', '--access-token-file', '-'], UsageError, 'both read stdin'],
    [[...TO_SERVER, '-d', '@-', '--access-token-file', '-'], UsageError, 'both read stdin'],
    [[...TO_SERVER, '--ndjson', '-j', '0'], InvalidInputError, '--concurrency'],
    [['example.org', '-t', 't'], InvalidInputError, 'E_SIGIL'],
    [['@:exa mple', '-t', 't'], InvalidInputError, 'E_SERVER_CHAR'],
    [['@alice:a', '-t', 't'], InvalidInputError, 'device_required'],
    [['@alice:a', '-t', 't', '--device', ''], InvalidInputError, 'E_DEVICE_EMPTY'],
    [[...TO_SERVER, '--device', 'X'], InvalidInputError, 'server_device'],
    [['@:a', '-t', ''], InvalidInputError, 'empty'],
    [[...TO_SERVER, '--txn-id', ''], InvalidInputError, 'empty'],
    [['alice', '--ndjson', '--envelope'], InvalidInputError, 'E_SIGIL'],
    [['--ndjson', '--envelope', '-t', ''], InvalidInputError, 'empty'],
  ])('refuses %j', (argv, kind, told) => {
    let error: unknown;
    try {
      optionsOf(argv);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(kind);
    const { message, reason } = error as InvalidInputError;
    expect(`${message} ${reason ?? ''}`).toContain(told);
  });
});

describe('one message', () => {
  it('makes the request of MSC4246 and says that it was accepted (R-2, R-5)', async () => {
    const server = await startLoopbackServer(accept);
    const { code, stdout, stderr } = await run(server, [...TO_SERVER, '-d', '{"example_content":"value"}']);
    expect([code, stderr]).toEqual([0, '']);
    const result = JSON.parse(stdout) as { txn_id: string };
    expect(result).toEqual({
      v: 1,
      status: 'accepted',
      to: '@:example.org',
      device: '',
      type: 'org.example.whatever',
      txn_id: expect.stringMatching(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      ) as string,
      attempts: 1,
      elapsed_ms: expect.any(Number) as number,
    });
    expect(Object.keys(result)).toEqual([
      'v',
      'status',
      'to',
      'device',
      'type',
      'txn_id',
      'attempts',
      'elapsed_ms',
    ]);
    expect(server.asked).toMatchObject([
      {
        method: 'PUT',
        path: `/_matrix/client/v3/sendToDevice/org.example.whatever/${result.txn_id}`,
        body: '{"messages":{"@:example.org":{"":{"example_content":"value"}}}}',
        headers: { authorization: 'Bearer secret-token', 'content-type': 'application/json' },
      },
    ]);
    expect(stdout).not.toMatch(/deliver/);
  });

  it('sends {} without -d, and canonical content with it', async () => {
    const server = await startLoopbackServer(accept);
    await run(server, TO_SERVER);
    await run(server, [...TO_SERVER, '-d', ' { "b" : 1e3 , "a" : -0 } ']);
    expect(server.asked.map(contentOf)).toEqual(['{}', '{"a":0,"b":1000}']);
  });

  it('reads the content from a file and from stdin', async () => {
    const server = await startLoopbackServer(accept);
    const folder = await tempFolder();
    await writeFile(join(folder, 'content.json'), '\ufeff{\n  "a": 1\n}\n');
    expect((await run(server, [...TO_SERVER, '-d', `@${folder}/content.json`])).code).toBe(0);
    expect((await run(server, [...TO_SERVER, '-d', '@-'], { stdin: '{"a":2}\n' })).code).toBe(0);
    expect(server.asked.map(contentOf)).toEqual(['{"a":1}', '{"a":2}']);
  });

  it('percent-encodes type and transaction ID', async () => {
    const server = await startLoopbackServer(accept);
    const { stdout } = await run(server, ['@:a', '-t', "a/b ü?#%'*", '--txn-id', 'x/y']);
    expect(server.asked[0]?.path).toBe('/_matrix/client/v3/sendToDevice/a%2Fb%20%C3%BC%3F%23%25%27%2A/x%2Fy');
    expect(JSON.parse(stdout)).toMatchObject({ type: "a/b ü?#%'*", txn_id: 'x/y' });
  });

  it.each([
    ['an array', ['-d', '[1]'], 'invalid_input', 'the content cannot be sent: it is an array, not an object'],
    ['a fraction', ['-d', '{"a":[1.5]}'], 'invalid_input', 'the number 1.5 is not an integer, at /a/0'],
    ['a big integer', ['-d', '{"a":9007199254740993}'], 'invalid_input', 'is outside ±(2^53-1), at /a'],
    ['half a pair', ['-d', '{"a":"\\ud800"}'], 'invalid_input', 'at /a'],
    [
      'a key twice',
      ['-d', '{"a":1,"a":1}'],
      'invalid_input',
      'the key "a" stands twice in one object, at /a',
    ],
    ['no JSON', ['-d', '{a:1}'], 'invalid_input', 'the content is not JSON: expected a string'],
    ['too much', ['-d', `{"a":"${'x'.repeat(65_536)}"}`], 'invalid_input', 'has 65544 bytes'],
    ['no such file', ['-d', '@/nonexistent/x'], 'unreadable_file', 'no such file'],
    ['an empty stdin', ['-d', '@-'], 'invalid_input', 'stdin, which is empty'],
  ])('refuses %s before anything is sent', async (_, flags, errorCode, told) => {
    const server = await startLoopbackServer(accept);
    const { code, stdout, stderr } = await run(server, [...TO_SERVER, ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    const { error } = JSON.parse(stderr) as { error: { code: string; message: string } };
    expect(error.code).toBe(errorCode);
    expect(error.message).toContain(told);
    expect(server.asked).toEqual([]);
  });

  it.each([
    [['@:a', '-t', 'm.mls.message'], 'the type m.mls.message has no prefix'],
    [['@:a', '-t', 'x'.repeat(256)], 'the type is longer than 255 bytes'],
    [['@:a', '-t', 'a.b', '--device', '*'], 'a server user has one device, ""'],
    [['@Alice:a', '-t', 'a.b', '--device', 'D'], '@Alice:a is a historical user ID'],
    [['@:a', '-t', 'a.b', '-d', `{"a":"${'x'.repeat(60_000)}"}`], 'the content has 60008 bytes'],
  ])('warns and sends (R-3, R-4): %j', async (argv, warning) => {
    const server = await startLoopbackServer(accept);
    const loud = await run(server, argv);
    expect(loud.code).toBe(0);
    expect(loud.stderr).toContain(`warning: ${warning}`);
    const quiet = await run(server, [...argv, '-q']);
    expect([quiet.code, quiet.stderr]).toEqual([0, '']);
    expect(server.asked).toHaveLength(2);
  });

  it('keeps the transaction ID over retries, and counts them', async () => {
    const server = await startLoopbackServer((_asked, response, index) => {
      if (index < 2) json(response, 429, { errcode: 'M_LIMIT_EXCEEDED' }, { 'retry-after': '0' });
      else json(response, 200, {});
    });
    const { stdout } = await run(server, [...TO_SERVER, '--txn-id', 'once']);
    expect(JSON.parse(stdout)).toMatchObject({ txn_id: 'once', attempts: 3 });
    expect(new Set(server.asked.map(({ path, body }) => path + body)).size).toBe(1);
  });

  it.each<[string, Respond, string[], number, Record<string, unknown>]>([
    [
      'refuses',
      answer(403, 'M_FORBIDDEN'),
      [],
      1,
      { code: 'refused', errcode: 'M_FORBIDDEN', http_status: 403 },
    ],
    ['finds it too large', answer(413, 'M_TOO_LARGE'), [], 1, { code: 'refused', errcode: 'M_TOO_LARGE' }],
    ['refuses the token', answer(401, 'M_UNKNOWN_TOKEN'), [], 4, { code: 'token_refused', http_status: 401 }],
    ['misses the token', answer(401, 'M_MISSING_TOKEN'), [], 4, { code: 'token_refused' }],
    ['fails', answer(500, 'M_UNKNOWN'), ['--retries', '0'], 5, { code: 'server_error', retryable: true }],
    [
      'is a proxy',
      (_, response) => response.writeHead(502).end('<html>'),
      ['--retries', '0'],
      5,
      { code: 'server_error' },
    ],
    [
      'is not Matrix',
      (_, response) => response.end('<html>'),
      ['--retries', '0'],
      5,
      { code: 'malformed_response' },
    ],
    [
      'redirects elsewhere',
      (_, response) => response.writeHead(307, { location: 'http://elsewhere.invalid/' }).end(),
      [],
      5,
      { code: 'redirect' },
    ],
    [
      'cuts the line',
      (_, response) => response.destroy(),
      ['--retries', '0'],
      5,
      { code: 'network', retryable: true },
    ],
    [
      'limits the rate',
      (_, response) => json(response, 429, { errcode: 'M_LIMIT_EXCEEDED' }, { 'retry-after': '100' }),
      [],
      6,
      { code: 'rate_limited', errcode: 'M_LIMIT_EXCEEDED', http_status: 429, retryable: true },
    ],
  ])('a homeserver that %s', async (_, respond, flags, exitCode, expected) => {
    const server = await startLoopbackServer(respond);
    const { code, stdout, stderr } = await run(server, [...TO_SERVER, ...flags]);
    expect([code, stdout]).toEqual([exitCode, '']);
    const lines = stderr.trimEnd().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ v: 1, error: expected });
    const saysHowToRepeat = lines.some((line) =>
      /^with --txn-id [0-9a-f-]{36} it can be repeated/.test(line),
    );
    expect(saysHowToRepeat).toBe(exitCode >= 5);
    expect(stderr).not.toContain('secret-token');
  });

  it('names --device \'*\' when the homeserver does not take ""', async () => {
    const server = await startLoopbackServer((_, response) =>
      json(response, 400, { errcode: 'M_BAD_JSON', error: 'Device identifier cannot be empty' }),
    );
    const { code, stderr } = await run(server, [...TO_SERVER, '--text']);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^hint: .*--device '\*'.*\nmx2s: .*400 M_BAD_JSON: Device identifier cannot be empty\n$/,
    );
  });

  it('without a login says so, after it has looked at the message', async () => {
    expect((await runCli(['send', ...TO_SERVER], await noLogin())).code).toBe(4);
    expect((await runCli(['send', ...TO_SERVER, '-d', '[]'], await noLogin())).code).toBe(2);
  });

  it('interrupted, ends at once with 130 or 143 and says how to repeat it', async () => {
    for (const [signal, exitCode] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const server = await startLoopbackServer(hang);
      const running = start(server, [...TO_SERVER, '--txn-id', 'mine']);
      await server.arrived(1);
      running.signal(signal);
      const { code, stdout, stderr } = await running.done;
      expect([code, stdout]).toEqual([exitCode, '']);
      expect(stderr).toContain('with --txn-id mine it can be repeated');
      expect(stderr).toContain('"code":"interrupted"');
    }
  });

  it('is quiet about a reader that went away', async () => {
    const server = await startLoopbackServer(accept);
    const { code, stderr } = await run(server, TO_SERVER, { breakStdout: { code: 'EPIPE', afterWrites: 0 } });
    expect([code, stderr]).toEqual([0, '']);
  });

  it('shows people one line, with whatever could move a cursor escaped', async () => {
    const server = await startLoopbackServer(accept);
    const terminal = { terminal: { stdout: true } };
    const toServer = await run(server, [...TO_SERVER, '--txn-id', 't1', '--color', 'never'], terminal);
    expect(toServer.stdout).toMatch(
      /^accepted {2}org\.example\.whatever to @:example\.org {2}\(transaction t1, \d+ ms\)\n$/,
    );
    const odd = ['@\u202ea:b', '--device', '*', '-t', 'a\u009bb', '--txn-id', 't', '-q', '--color', 'never'];
    expect((await run(server, odd, terminal)).stdout).toContain('a\\u009bb to @\\u202ea:b (all devices)');
    expect((await run(server, [...odd, '--json'], terminal)).stdout).toContain('"to":"@\\u202ea:b"');
    expect((await run(server, odd)).stdout).toContain('"to":"@\u202ea:b"');
  });

  it('reaches the embedded homeserver', async () => {
    const events: unknown[] = [];
    const server = await startServer({ onEvent: (event) => events.push(event) });
    onTestFinished(() => server.stop());
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: server.users[0]?.accessToken };
    const { code } = await runCli(
      ['send', `@:${server.serverName}`, '-t', 'mx2s.ping', '-d', '{"nonce":"n"}'],
      { env },
    );
    await server.settled();
    expect(code).toBe(0);
    expect(events).toMatchObject([
      { direction: 'in', to: `@:${server.serverName}`, device: '', type: 'mx2s.ping' },
      {},
    ]);
  });
});

describe('--ndjson', () => {
  it('gives one result a line, in order, and a summary on stderr', async () => {
    const server = await startLoopbackServer(accept);
    const { code, stderr, results } = await runLines(server, '{"n":1}\n\n[]\n{"n":2}\n', TO_SERVER);
    expect(code).toBe(2);
    expect(results).toMatchObject([
      { v: 1, status: 'accepted', line: 1, to: '@:example.org', device: '', attempts: 1 },
      { v: 1, status: 'rejected', line: 3, error: { code: 'invalid_input', retryable: false } },
      { v: 1, status: 'accepted', line: 4 },
    ]);
    expect(stderr).toBe('2 accepted, 1 rejected, 0 failed\n');
    expect(server.asked.map(contentOf)).toEqual(['{"n":1}', '{"n":2}']);
    expect(new Set(server.asked.map(({ path }) => path)).size).toBe(2);
  });

  it('with -j has so many requests in flight, and the results in order all the same', async () => {
    const waiting: ServerResponse[] = [];
    const server = await startLoopbackServer((_, response) => {
      waiting.push(response);
      if (waiting.length === 3) for (const each of waiting.splice(0).reverse()) json(each, 200, {});
    });
    const { code, results } = await runLines(server, '{}\n'.repeat(6), [...TO_SERVER, '-j', '3']);
    expect(code).toBe(0);
    expect(results.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('without -j has one request in flight', async () => {
    let inFlight = 0;
    let most = 0;
    const server = await startLoopbackServer((_, response) => {
      most = Math.max(most, (inFlight += 1));
      setImmediate(() => {
        inFlight -= 1;
        json(response, 200, {});
      });
    });
    await runLines(server, '{}\n'.repeat(5), TO_SERVER);
    expect(most).toBe(1);
  });

  it('answers each line before the next one comes', async () => {
    const server = await startLoopbackServer(accept);
    const stdin = new Readable({ read: () => undefined });
    const running = start(server, [...TO_SERVER, '--ndjson'], { stdin });
    stdin.push('{"n":1}\n');
    await running.stdout.until(/"line":1/);
    stdin.push('{"n":2}\n');
    await running.stdout.until(/"line":2/);
    stdin.push(null);
    expect((await running.done).code).toBe(0);
  });

  it('goes on after what a homeserver refuses', async () => {
    const server = await startLoopbackServer((asked, response) =>
      contentOf(asked) === '{"n":1}'
        ? json(response, 403, { errcode: 'M_FORBIDDEN' })
        : json(response, 200, {}),
    );
    const { code, results } = await runLines(server, '{"n":1}\n{"n":2}\n[]\n', TO_SERVER);
    expect(code).toBe(1);
    expect(results).toMatchObject([
      {
        status: 'rejected',
        line: 1,
        txn_id: expect.any(String) as string,
        error: { code: 'refused', errcode: 'M_FORBIDDEN', http_status: 403 },
      },
      { status: 'accepted', line: 2 },
      { status: 'rejected', line: 3 },
    ]);
  });

  it.each<[string, Respond, number, string]>([
    ['the token is refused', answer(401, 'M_UNKNOWN_TOKEN'), 4, 'token_refused'],
    ['nothing answers', (_, response) => response.destroy(), 5, 'network'],
    [
      'the rate is limited',
      (_, response) => json(response, 429, {}, { 'retry-after': '100' }),
      6,
      'rate_limited',
    ],
  ])('stops when %s, without a JSON error on stderr', async (_, respond, exitCode, errorCode) => {
    const server = await startLoopbackServer((asked, response, index) =>
      index === 0 ? accept(asked, response, index) : respond(asked, response, index),
    );
    const { code, results, stderr } = await runLines(server, '{}\n'.repeat(4), [
      ...TO_SERVER,
      '--retries',
      '0',
    ]);
    expect(code).toBe(exitCode);
    expect(results).toMatchObject([
      { status: 'accepted', line: 1 },
      { status: 'failed', line: 2, txn_id: expect.any(String) as string, error: { code: errorCode } },
    ]);
    expect(results).toHaveLength(2);
    expect(stderr).toBe('1 accepted, 0 rejected, 1 failed; stopped after line 2\n');
  });

  it('with --fail-fast stops at whatever fails', async () => {
    const server = await startLoopbackServer(accept);
    const { code, results } = await runLines(server, '{}\n[]\n{}\n', [...TO_SERVER, '--fail-fast']);
    expect(code).toBe(2);
    expect(results.map(({ line }) => line)).toEqual([1, 2]);
    expect(server.asked).toHaveLength(1);
  });

  it('interrupted, reports what was in flight as failed, with the ID that makes a repeat safe', async () => {
    const server = await startLoopbackServer((asked, response, index) => {
      if (index === 0) accept(asked, response, index);
    });
    const stdin = new Readable({ read: () => undefined });
    const running = start(server, [...TO_SERVER, '--ndjson', '-j', '2'], { stdin });
    stdin.push('{"n":1}\n[]\n{"n":3}\n{"n":4}\n{"n":5}\n');
    await server.arrived(3);
    running.signal('SIGINT');
    const { code, stdout, stderr } = await running.done;
    expect(code).toBe(130);
    expect(resultsIn(stdout)).toMatchObject([
      { status: 'accepted', line: 1 },
      { status: 'rejected', line: 2 },
      { status: 'failed', line: 3, error: { code: 'interrupted' } },
      { status: 'failed', line: 4, error: { code: 'interrupted' } },
    ]);
    expect(
      resultsIn(stdout)
        .slice(2)
        .map((result) => result['txn_id']),
    ).toEqual(server.asked.slice(1).map(({ path }) => path.split('/').at(-1)));
    expect(stderr).toBe('1 accepted, 1 rejected, 2 failed; stopped after line 4\n');
  });

  it('interrupted while it waits for input, ends at once', async () => {
    const server = await startLoopbackServer(accept);
    const stdin = new Readable({ read: () => undefined });
    const running = start(server, [...TO_SERVER, '--ndjson'], { stdin });
    stdin.push('{}\n');
    await running.stdout.until(/"line":1/);
    running.signal('SIGTERM');
    const { code, stderr } = await running.done;
    expect([code, stderr]).toEqual([143, '1 accepted, 0 rejected, 0 failed; stopped after line 1\n']);
  });

  it('sends envelopes, which say themselves whom they are for', async () => {
    const server = await startLoopbackServer(accept);
    const lines = [
      '{"to":"@:a","type":"a.b","content":{"n":1}}',
      '{"to":"@alice:a","device":"*","type":"c.d","content":{},"txn_id":"mine"}',
      '{"to":"@alice:a","type":"c.d","content":{}}',
      '{"content":{}}',
    ].join('\n');
    const { code, results } = await runLines(server, lines, ['--envelope']);
    expect(code).toBe(2);
    expect(results).toMatchObject([
      { status: 'accepted', to: '@:a', device: '', type: 'a.b' },
      { status: 'accepted', to: '@alice:a', device: '*', type: 'c.d', txn_id: 'mine' },
      { status: 'rejected', line: 3, error: { message: '"@alice:a" is a user, and no device is named' } },
      { status: 'rejected', line: 4, error: { message: 'the envelope has no to, and TO was not given' } },
    ]);
    expect(server.asked.map(({ body }) => body)).toEqual([
      '{"messages":{"@:a":{"":{"n":1}}}}',
      '{"messages":{"@alice:a":{"*":{}}}}',
    ]);
  });

  it('refuses an empty stdin, and needs a login before it reads', async () => {
    const server = await startLoopbackServer(accept);
    const empty = await runLines(server, '', TO_SERVER);
    expect(empty.code).toBe(2);
    expect(JSON.parse(empty.stderr)).toMatchObject({ error: { code: 'invalid_input' } });
    const stdin = new Readable({ read: () => expect.unreachable('stdin was read') });
    expect((await runCli(['send', ...TO_SERVER, '--ndjson'], { ...(await noLogin()), stdin })).code).toBe(4);
  });

  it('ends quietly when the reader of its results goes away', async () => {
    const server = await startLoopbackServer(accept);
    const { code, stderr } = await runLines(server, '{}\n'.repeat(5), TO_SERVER, {
      breakStdout: { code: 'EPIPE', afterWrites: 1 },
    });
    expect([code, stderr]).toEqual([0, '']);
    expect(server.asked.length).toBeLessThan(5);
  });

  it.each([
    ['EPIPE', 0, /^$/],
    ['ENOSPC', 1, /^\{"v":1,"error":\{"code":"disk"[^\n]*\n$/],
  ])('when stdout fails with %s, lets go of what waits for its next attempt', async (code, exit, said) => {
    let isFirst = true;
    const server = await startLoopbackServer((_asked, response) => {
      if (!isFirst) return json(response, 503, {}, { 'retry-after': '50' });
      isFirst = false;
      // so that the others are waiting by then
      void server.arrived(4).then(() => json(response, 200, {}));
    });
    const timersBefore = timersAtWork();
    const finished = await runLines(server, '{}\n'.repeat(8), [...TO_SERVER, '-j', '4', '-q'], {
      breakStdout: { code, afterWrites: 0 },
    });
    expect(finished.code).toBe(exit);
    expect(finished.stderr).toMatch(said);
    expect(timersAtWork()).toBeLessThanOrEqual(timersBefore);
  });

  it('shows people a line for each', async () => {
    const server = await startLoopbackServer(accept);
    const { stdout } = await runLines(server, '{}\n[]\n', [...TO_SERVER, '--text']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^1 {2}accepted {2}org\.example\.whatever to @:example\.org {2}\(transaction /,
      ) as string,
      '2  rejected  the content cannot be sent: it is an array, not an object',
      '',
    ]);
  });
});

describe('--dry-run and --curl', () => {
  const CONTENT = ['-d', `{"quote":"it's \\"$HOME\\" \`x\` \\\\n !"}`, '--txn-id', 'a/b'];
  const BODY = `{"messages":{"@:example.org":{"":{"quote":"it's \\"$HOME\\" \`x\` \\\\n !"}}}}`;
  const PATH = '/_matrix/client/v3/sendToDevice/org.example.whatever/a%2Fb';

  it('print the request, with the path alone where no homeserver is known, and need no login', async () => {
    const { code, stdout, stderr } = await runCli(['send', ...TO_SERVER, ...CONTENT, '-n'], await noLogin());
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`{"v":1,"method":"PUT","url":"${PATH}","body":${BODY}}\n`);
  });

  it('print the whole URL where a homeserver is known, and send nothing', async () => {
    const server = await startLoopbackServer(accept);
    const { stdout } = await run(server, [...TO_SERVER, ...CONTENT, '-n']);
    expect(JSON.parse(stdout)).toMatchObject({ url: `${server.url}${PATH}` });
    const flag = await runCli(
      ['send', ...TO_SERVER, ...CONTENT, '-n', '--text', '--homeserver', 'https://hs.example/x/'],
      await noLogin(),
    );
    expect(flag.stdout).toBe(`PUT https://hs.example/x${PATH}\n${BODY}\n`);
    await run(server, [...TO_SERVER, ...CONTENT, '--curl']);
    expect(server.asked).toEqual([]);
  });

  it('check the message all the same', async () => {
    const { code, stderr } = await runCli(['send', ...TO_SERVER, '-d', '{"a":0.5}', '-n'], await noLogin());
    expect(code).toBe(2);
    expect(stderr).toContain('at /a');
  });

  it('print a line that a shell turns into that very request, and no token', async () => {
    const { stdout } = await runCli(['send', ...TO_SERVER, ...CONTENT, '--curl'], {
      env: {
        ...(await noLogin()).env,
        MX2S_HOMESERVER: 'https://hs.example',
        MX2S_ACCESS_TOKEN: 'secret-token',
      },
    });
    expect(stdout).not.toContain('secret-token');
    expect(stdout).not.toContain('hs.example');
    expect(await curlArguments(stdout)).toEqual([
      '-X',
      'PUT',
      `https://hs.example${PATH}`,
      '-H',
      'Authorization: Bearer $TOKEN',
      '-H',
      'Content-Type: application/json',
      '-d',
      BODY,
    ]);
  });

  it('say which variables of that line are not set, and where a profile has them', async () => {
    const home = await tempFolder();
    const stderrOf = async (env: Record<string, string>): Promise<string> =>
      (await runCli(['send', ...TO_SERVER, '--curl'], { env })).stderr;
    const stand = `those of a profile stand in ${home}/profiles.json\n`;
    const url = { MX2S_HOMESERVER: 'https://hs.example' };
    expect(await stderrOf({ MX2S_CONFIG_DIR: home })).toBe(
      `MX2S_HOMESERVER and MX2S_ACCESS_TOKEN are not set, and that line needs them: ${stand}`,
    );
    expect(await stderrOf({ MX2S_CONFIG_DIR: home, ...url })).toBe(
      `MX2S_ACCESS_TOKEN is not set, and that line needs it: ${stand}`,
    );
    expect(await stderrOf(url)).toBe('MX2S_ACCESS_TOKEN is not set, and that line needs it\n');
    expect(await stderrOf({ ...url, MX2S_ACCESS_TOKEN: 'secret-token' })).toBe('');
  });

  it('work for each line of --ndjson, too', async () => {
    const dry = await runCli(['send', ...TO_SERVER, '--ndjson', '-n'], {
      ...(await noLogin()),
      stdin: '{"a":1}\n[]\n',
    });
    expect(dry.code).toBe(2);
    expect(resultsIn(dry.stdout)).toMatchObject([
      { v: 1, method: 'PUT', body: { messages: { '@:example.org': { '': { a: 1 } } } }, line: 1 },
      { v: 1, status: 'rejected', line: 2 },
    ]);
    expect(dry.stderr).toBe('1 to be sent, 1 rejected, 0 failed\n');

    const curl = await runCli(['send', ...TO_SERVER, '--ndjson', '--curl'], {
      ...(await noLogin()),
      stdin: '[]\n{}\n',
    });
    expect(curl.stdout.split('\n')).toEqual([
      '# line 1: the content cannot be sent: it is an array, not an object',
      expect.stringMatching(/^curl -X PUT /) as string,
      '',
    ]);
  });

  it('write nothing to a terminal that it would obey', async () => {
    const odd = ['@:a', '-t', 'a.b', '-d', '{"a":"\u009b\u202e"}'];
    const settings = { ...(await noLogin()), terminal: { stdout: true } };
    for (const flags of [['-n'], ['-n', '--json'], ['--curl']]) {
      const { stdout } = await runCli(['send', ...odd, ...flags], settings);
      expect(stdout).toContain('{"a":"\\u009b\\u202e"}');
    }
  });
});

function optionsOf(argv: string[]): SendOptions {
  const command = new Command().exitOverride();
  addGlobalFlags(command);
  send.configure(command);
  command.parse(argv, { from: 'user' });
  const values = command.opts();
  return parseSendOptions({
    args: command.args,
    passedOn: [],
    flags: readFlags(values),
    globals: parseGlobals(values),
  });
}

function run(server: LoopbackServer, argv: readonly string[], settings: RunSettings = {}): Promise<Finished> {
  return start(server, argv, settings).done;
}

function start(server: LoopbackServer, argv: readonly string[], settings: RunSettings = {}): Running {
  const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'secret-token' };
  return startCli(['send', ...argv], { env, ...settings });
}

/** What would keep a process alive that has nothing else to do. */
function timersAtWork(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}

async function runLines(
  server: LoopbackServer,
  stdin: string,
  argv: readonly string[],
  settings: RunSettings = {},
): Promise<Finished & { results: Record<string, unknown>[] }> {
  const finished = await run(server, [...argv, '--ndjson'], { stdin, ...settings });
  return { ...finished, results: argv.includes('--text') ? [] : resultsIn(finished.stdout) };
}

function resultsIn(stdout: string): Record<string, unknown>[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function contentOf({ body }: { readonly body: string }): string | undefined {
  return /^\{"messages":\{"[^"]*":\{"[^"]*":(.*)\}\}\}$/.exec(body)?.[1];
}

const accept: Respond = (_asked, response) => json(response, 200, {});

const hang: Respond = () => undefined;

function answer(status: number, errcode: string): Respond {
  return (_asked, response) => json(response, status, { errcode, error: 'no' });
}

async function noLogin(): Promise<{ env: Record<string, string> }> {
  return { env: { MX2S_CONFIG_DIR: await tempFolder() } };
}

async function tempFolder(): Promise<string> {
  const folder = await makeTempDir();
  onTestFinished(() => folder.remove());
  return folder.path;
}

/** What a shell hands to curl, found out with a curl that only writes down its arguments. */
async function curlArguments(line: string): Promise<string[]> {
  const folder = await tempFolder();
  const [curl, words] = [join(folder, 'curl'), join(folder, 'words')];
  await writeFile(curl, `#!/bin/sh\nprintf '%s\\0' "$@" > '${words}'\n`);
  await chmod(curl, 0o755);
  await promisify(execFile)('/bin/sh', ['-c', line], {
    env: { PATH: folder, MX2S_HOMESERVER: 'https://hs.example', MX2S_ACCESS_TOKEN: '$TOKEN' },
  });
  return (await readFile(words, 'utf8')).split('\0').slice(0, -1);
}
