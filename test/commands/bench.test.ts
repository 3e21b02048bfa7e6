import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bench } from '../../src/commands/bench.js';
import { parseBenchOptions, type BenchOptions } from '../../src/commands/bench-options.js';
import { readFlags } from '../../src/commands/define.js';
import { addGlobalFlags, parseGlobals } from '../../src/commands/globals.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';
import type { BenchResult } from '../../src/ui/render/bench.js';
import { json, startLoopbackServer, type Respond } from '../http/loopback-server.js';
import { runBinary, startBinary } from '../kit/binary.js';
import { runCli, startCli, type Finished } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { asDevice, deviceAt, linesIn, numbersIn, openDeviceKit } from './device-kit.js';

const SEND = ['bench', 'send', '@:example.org', '-t', 'org.example.a'];
const FEW = ['--count', '3', '--rate', 'max'];

describe('the command line', () => {
  it.each<[string[], object]>([
    [
      ['send', '@:a', '-t', 't'],
      {
        bench: 'send',
        recipient: { to: '@:a', device: '' },
        type: 't',
        data: '{}',
        count: 100,
        isGoal: false,
        concurrency: 1,
        ratePerSecond: 10,
        timeoutMs: 60_000,
      },
    ],
    [
      [
        'send',
        '@a:b',
        '--device',
        'D',
        '-t',
        't',
        '-d',
        '@f',
        '-C',
        '5',
        '-j',
        '2',
        '--rate',
        '0.5/s',
        '-W',
        '5m',
      ],
      {
        recipient: { device: 'D' },
        data: '@f',
        count: 5,
        isGoal: true,
        concurrency: 2,
        ratePerSecond: 0.5,
        timeoutMs: 300_000,
      },
    ],
    [['listen'], { bench: 'listen', count: 100, ratePerSecond: 10, other: undefined, sharedDevice: false }],
    [['listen', '--other', 'work', '--shared-device'], { other: 'work', sharedDevice: true }],
    [['serve'], { bench: 'serve', count: 10_000, concurrency: 8, ratePerSecond: Infinity }],
    [
      ['validate'],
      { bench: 'validate', source: undefined, count: 1_000_000, kind: 'user', grammar: 'msc4246' },
    ],
    [
      ['validate', '-', '--kind', 'device', '--grammar', 'strict'],
      { source: '-', kind: 'device', grammar: 'strict' },
    ],
  ])('reads %j', (argv, expected) => {
    expect(optionsOf(argv)).toMatchObject(expected);
  });

  it.each<[string[], new (...args: never[]) => Error]>([
    [['send', '-t', 't'], UsageError],
    [['send', '@:a'], UsageError],
    [['send', 'alice', '-t', 't'], InvalidInputError],
    [['send', '@:a', '-t', 't', '--other', 'work'], UsageError],
    [['send', '@:a', '-t', 't', '-d', '@-', '--access-token-file', '-'], UsageError],
    [['listen', '@:a'], UsageError],
    [['listen', '-t', 't'], UsageError],
    [['serve', '--shared-device'], UsageError],
    [['validate', 'ids.txt', '--count', '5'], UsageError],
    [['validate', '--rate', '5/s'], UsageError],
    [['validate', '--kind', 'room'], UsageError],
    [['validate', '--grammar', 'mine'], UsageError],
    [['serve', '--count', '0'], InvalidInputError],
    [['serve', '-j', '0'], InvalidInputError],
    [['serve', '--rate', '5'], InvalidInputError],
    [['serve', '-W', '0'], InvalidInputError],
  ])('refuses %j', (argv, kind) => {
    expect(() => optionsOf(argv)).toThrow(kind);
  });

  it('refuses what cannot be measured', async () => {
    expect(await runCli(['bench'])).toMatchObject({ code: 2, stdout: '' });
    expect(await runCli(['bench', 'federation'])).toMatchObject({ code: 2, stdout: '' });
  });

  function optionsOf(argv: readonly string[]): BenchOptions {
    const command = new Command('bench').exitOverride().configureOutput({ writeErr: () => undefined });
    addGlobalFlags(command);
    bench.configure(command);
    command.parse(argv, { from: 'user' });
    const flags = readFlags(command.opts());
    return parseBenchOptions({
      args: command.args,
      passedOn: [],
      flags,
      globals: parseGlobals(command.opts()),
    });
  }
});

describe('bench send', () => {
  it('sends as many messages as it says, each once, and tells how long they took', async () => {
    const { server, env } = await homeserver((_, response) => json(response, 200, {}));
    const finished = await runCli([...SEND, ...FEW, '-j', '2', '-d', '{"n":1}'], { env });
    expect(finished.code).toBe(0);
    expect(resultIn(finished)).toMatchObject({
      v: 1,
      bench: 'send',
      homeserver: server.url,
      to: '@:example.org',
      device: '',
      type: 'org.example.a',
      count: 3,
      accepted: 3,
      failed: 0,
      unanswered: 0,
      concurrency: 2,
      ended: 'count',
    });
    expect(finished.stderr).toBe(
      `sends 3 messages of type org.example.a to @:example.org through ${server.url}: as fast as it goes, 2 at a time, for 60 s at most\n`,
    );
    expect(new Set(server.asked.map(({ method, path }) => `${method} ${path}`)).size).toBe(3);
    expect(server.asked.map(({ body }) => body)).toEqual(
      Array.from({ length: 3 }, () => '{"messages":{"@:example.org":{"":{"n":1}}}}'),
    );
  });

  it('has figures that agree with each other', async () => {
    const { env } = await homeserver((_, response) => json(response, 200, {}));
    const result = resultIn(await runCli([...SEND, '--count', '40', '--rate', '400/s'], { env }));
    if (result.bench !== 'send' || !result.latency_ms || !result.histogram) throw new Error('no figures');
    const { min, mean, p50, p90, p99, max } = result.latency_ms;
    expect([min, p50, p90, p99, max]).toEqual([min, p50, p90, p99, max].sort((one, other) => one - other));
    expect(mean).toBeGreaterThanOrEqual(min);
    expect(mean).toBeLessThanOrEqual(max);
    expect(result.histogram.buckets.reduce((sum, { count }) => sum + count, 0)).toBe(40);
    expect(result.histogram.buckets.at(-1)?.upto_ms).toBeGreaterThanOrEqual(max - 0.001);
    expect(result.rate).toBeCloseTo((40 * 1000) / result.elapsed_ms, 1);
    expect(result.elapsed_ms).toBeGreaterThanOrEqual(80); // 40 turns of 2.5 ms, but for what a late timer makes up for
  });

  it('is told in text that says accepted, never delivered', async () => {
    const { env } = await homeserver((_, response) => json(response, 200, {}));
    const { stdout } = await runCli([...SEND, ...FEW, '--text'], { env });
    expect(stdout).toMatch(/^3 of 3 messages to @:example\.org accepted in \d+\.\d\d s: [\d.]+\/s\n/);
    expect(stdout).toMatch(/\neach request took: min [\d.]+ {2}p50 .* ms\n\n(?:≤ +[\d.]+ ms {2}#* +\d+\n)+$/);
    expect(stdout).not.toContain('deliver');
  });

  it.each<[string, Respond, number, string]>([
    ['a refusal', (_, response) => json(response, 403, { errcode: 'M_FORBIDDEN' }), 1, 'refused'],
    [
      'a refused token',
      (_, response) => json(response, 401, { errcode: 'M_UNKNOWN_TOKEN' }),
      4,
      'token_refused',
    ],
    ['a failure', (_, response) => json(response, 502, {}), 5, 'server_error'],
    [
      'a rate limit',
      (_, response) => json(response, 429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1 }),
      6,
      'rate_limited',
    ],
  ])(
    'ends with %s, which it repeats never, and tells what was measured',
    async (_what, refuse, code, error) => {
      const { server, env } = await homeserver((asked, response, index) =>
        index < 2 ? json(response, 200, {}) : refuse(asked, response, index),
      );
      const finished = await runCli([...SEND, '--count', '50', '--rate', 'max', '--retries', '9'], { env });
      expect(finished.code).toBe(code);
      expect(resultIn(finished)).toMatchObject({ count: 50, accepted: 2, failed: 1, ended: 'failure' });
      expect(finished.stderr).toContain(`"code":"${error}"`);
      expect(server.asked).toHaveLength(3);
    },
  );

  it('says nothing of latency when nothing was accepted', async () => {
    const { env } = await homeserver((_, response) => json(response, 403, {}));
    const result = resultIn(await runCli([...SEND, ...FEW], { env }));
    expect(result).toMatchObject({ accepted: 0, failed: 1, rate: 0 });
    expect(result).not.toHaveProperty('latency_ms');
    expect(result).not.toHaveProperty('histogram');
  });

  it.each([
    ['that was asked for is 124', ['--count', '2'], 124],
    ['that nobody asked for is 0', [], 0],
  ])('a count %s when the time is over', async (_what, count, code) => {
    const { env } = await homeserver((_, response, index) =>
      index === 0 ? json(response, 200, {}) : undefined,
    );
    const finished = await runCli([...SEND, ...count, '--rate', 'max', '-W', '200ms'], { env });
    expect(finished.code).toBe(code);
    expect(resultIn(finished)).toMatchObject({ accepted: 1, unanswered: 1, ended: 'time' });
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('tells what it has when %s comes: %i', async (signal, code) => {
    const { server, env } = await homeserver((_, response, index) =>
      index === 0 ? json(response, 200, {}) : undefined,
    );
    const running = startCli([...SEND, '--rate', 'max'], { env });
    await server.arrived(2);
    running.signal(signal);
    const finished = await running.done;
    expect(finished.code).toBe(code);
    expect(resultIn(finished)).toMatchObject({ accepted: 1, unanswered: 1, ended: 'interrupted' });
  });

  it('refuses bad content before anything is sent', async () => {
    const { server, env } = await homeserver((_, response) => json(response, 200, {}));
    expect((await runCli([...SEND, '-d', '[]'], { env })).code).toBe(2);
    expect(server.asked).toEqual([]);
  });
});

describe('bench listen', () => {
  it('measures from one account to itself, and leaves the rest of the queue to its owner', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const finished = await kit.run(['bench', 'listen', '--count', '20', '--rate', '500/s', '-j', '2']);
    expect(finished.code).toBe(0);
    const [alice] = kit.server.users;
    expect(resultIn(finished)).toMatchObject({
      bench: 'listen',
      from: alice?.userId,
      to: alice?.userId,
      device: alice?.deviceId,
      type: 'mx2s.bench.delivery',
      count: 20,
      accepted: 20,
      received: 20,
      missing: 0,
      rate_limit: 500,
      ended: 'count',
      latency_ms: { p50: expect.any(Number) as unknown },
    });
    expect(finished.stderr).toMatch(/\n2 other events kept: mx2s listen prints what is kept\n$/);
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual([1, 2]);
    expect(linesIn(await kit.run(['listen', '--drain', '--any-sender', '--since', 'start']))).toEqual([]);
  });

  it('keeps what comes while it measures', async () => {
    const kit = await openDeviceKit();
    const running = kit.start(['bench', 'listen', '--count', '40', '--rate', '100/s']);
    await running.stderr.until(/sends 40/);
    await kit.fromBob(1, 2, 3);
    expect((await running.done).code).toBe(0);
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual([1, 2, 3]);
  });

  it('measures from another account, of the environment or of a profile', async () => {
    const kit = await openDeviceKit();
    const [alice, bob] = kit.server.users;
    const few = ['bench', 'listen', ...FEW];
    const byToken = await kit.run(few, { env: { ...kit.env, MX2S_OTHER_ACCESS_TOKEN: bob?.accessToken } });
    expect(resultIn(byToken)).toMatchObject({ from: bob?.userId, to: alice?.userId, received: 3 });
    const { MX2S_CONFIG_DIR = '' } = kit.env;
    const login = ['login', kit.server.homeserver, '--user', 'bob', '-p', 'other'];
    await runCli(login, { env: { MX2S_CONFIG_DIR, MX2S_PASSWORD: bob?.password } });
    const byProfile = await kit.run([...few, '--other', 'other']);
    expect(resultIn(byProfile)).toMatchObject({ from: bob?.userId, to: alice?.userId, received: 3 });
    expect((await kit.run([...few, '--other', 'nobody'])).code).toBe(2);
  });

  it('shares the device with no other reader', async () => {
    const kit = await openDeviceKit();
    const running = kit.start(['listen', '--ready-file', join(kit.folder, 'ready')]);
    await running.stderr.until(/ready/);
    const second = await kit.run(['bench', 'listen', ...FEW]);
    expect([second.code, second.stdout]).toEqual([2, '']);
    expect(second.stderr).toContain('device_locked');
    running.signal('SIGINT');
    await running.done;
  });

  it('is 124 when something that was accepted does not come', async () => {
    const server = await startLoopbackServer(asDevice(() => ({ next_batch: 's' })));
    const { env } = await deviceAt(server.url);
    const finished = await runCli(['bench', 'listen', ...FEW, '-W', '200ms'], { env });
    expect(finished.code).toBe(124);
    expect(resultIn(finished)).toMatchObject({
      accepted: 3,
      received: 0,
      missing: 3,
      ended: 'count',
      rate: 0,
    });
    expect(finished.stderr).toContain('3 of 3 messages were accepted, and did not come within 0.2 s');
  });

  it('ends with a refusal, and tells what was measured until then', async () => {
    const answers = asDevice(() => ({ next_batch: 's' }));
    const server = await startLoopbackServer((asked, response, index) =>
      asked.method === 'PUT'
        ? json(response, 403, { errcode: 'M_FORBIDDEN' })
        : answers(asked, response, index),
    );
    const { env } = await deviceAt(server.url);
    const finished = await runCli(['bench', 'listen', ...FEW], { env });
    expect(finished.code).toBe(1);
    expect(resultIn(finished)).toMatchObject({
      accepted: 0,
      failed: 1,
      received: 0,
      missing: 0,
      ended: 'failure',
    });
    expect(server.asked.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });
});

describe('bench validate', () => {
  it('counts as validate-id does', async () => {
    const ids = '@:example.org\n@alice\n@bob:example.org\n';
    const finished = await runCli(['bench', 'validate', '-'], { stdin: ids });
    expect(finished.code).toBe(0);
    expect(resultIn(finished)).toMatchObject({
      bench: 'validate',
      source: 'stdin',
      kind: 'user',
      grammar: 'msc4246',
      total: 3,
      valid: 2,
      invalid: 1,
      bytes: ids.length,
      ended: 'count',
    });
    const strict = await runCli(['bench', 'validate', '-', '--grammar', 'strict'], { stdin: ids });
    expect(resultIn(strict)).toMatchObject({ grammar: 'strict', valid: 1, invalid: 2 });
  });

  it('makes identifiers, or reads them from a file', async () => {
    const folder = await makeTempDir();
    try {
      const file = join(folder.path, 'ids.txt');
      await writeFile(file, 'a.b\n\n');
      const [made, read, none] = await Promise.all([
        runCli(['bench', 'validate', '--count', '500', '-q']),
        runCli(['bench', 'validate', file, '--kind', 'server']),
        runCli(['bench', 'validate', `${file}.not`]),
      ]);
      expect(resultIn(made)).toMatchObject({ source: 'generated', total: 500 });
      expect(made.stderr).toBe('');
      expect(resultIn(read)).toMatchObject({ source: 'file', kind: 'server', total: 2, valid: 1, bytes: 5 });
      expect([none.code, none.stderr]).toEqual([2, expect.stringContaining('"unreadable_file"')]);
    } finally {
      await folder.remove();
    }
  });

  it('is told in text', async () => {
    const { stdout } = await runCli(['bench', 'validate', '--count', '10', '--text']);
    expect(stdout).toMatch(/^10 identifiers \(\d valid, \d not\) in \d\.\d\d s: \d+\/s\n$/);
  });

  it('takes an empty stdin for a mistake', async () => {
    expect((await runCli(['bench', 'validate', '-'])).code).toBe(2);
  });
});

describe('bench serve', () => {
  let home: TempDir;
  beforeAll(async () => void (home = await makeTempDir()));
  afterAll(() => home.remove());

  it('makes rounds against a server in a process of its own', async () => {
    const finished = await runBinary(['bench', 'serve', '--count', '20', '-j', '3'], { home: home.path });
    expect([finished.code, finished.stderr]).toEqual([
      0,
      'starts an embedded homeserver, and makes 20 rounds of sendToDevice and sync: as fast as it goes, 3 at a time, for 60 s at most\n',
    ]);
    expect(JSON.parse(finished.stdout)).toMatchObject({
      bench: 'serve',
      count: 20,
      rounds: 20,
      failed: 0,
      requests_per_round: 2,
      concurrency: 3,
      ended: 'count',
    });
  });

  it('stops the server when it is interrupted', async () => {
    const running = startBinary(['bench', 'serve', '--rate', '20/s', '--trace'], { home: home.path });
    const line = await running.lineOf('stderr', /http:\/\/127\.0\.0\.1:\d+/);
    running.kill('SIGINT');
    const { code, stdout } = await running.result;
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ bench: 'serve', ended: 'interrupted' });
    const [origin = ''] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    await expect(fetch(`${origin}/_matrix/client/versions`)).rejects.toThrow();
  });
});

async function homeserver(respond: Respond) {
  const server = await startLoopbackServer(respond);
  return { server, env: { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'secret-token' } };
}

/** The one line of stdout. */
function resultIn({ stdout }: Pick<Finished, 'stdout'>): BenchResult {
  return JSON.parse(stdout) as BenchResult;
}
