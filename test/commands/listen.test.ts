import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { runCli } from '../kit/run-cli.js';
import { asDevice, deviceAt, EVENT, linesIn, numbersIn, openDeviceKit } from './device-kit.js';

describe('the selection', () => {
  it('takes server users only, and tells how many others there were', async () => {
    const kit = await openDeviceKit();
    await kit.fromBob(1);
    await kit.fill(2);
    await kit.fromBob(3);
    const finished = await kit.run(['listen', '--drain']);
    expect(numbersIn(finished)).toEqual([2]);
    expect(finished.stderr).toBe(
      '2 events not selected by the filters, and gone: --peek looks without taking; --any-sender takes events from users, too\n',
    );
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual([]);
  });

  it('takes what the flags say', async () => {
    const kit = await openDeviceKit();
    await kit.echo({ n: 1 }, 'org.example.a');
    await kit.echo({ n: 2 }, 'org.example.b');
    await kit.fromBob(3);
    const peek = async (...flags: string[]): Promise<number[]> =>
      numbersIn(await kit.run(['listen', '--peek', ...flags]));
    expect(await peek('--any-sender')).toEqual([1, 2, 3]);
    expect(await peek('-t', '*.a', '-t', '*.b')).toEqual([1, 2]);
    expect(await peek('-T', '*.a')).toEqual([2]);
    expect(await peek('--from', `@bob:${kit.server.serverName}`)).toEqual([3]);
    expect(await peek('--from', `@bob:${kit.server.serverName}`, '--from', kit.serverUser)).toEqual([
      1, 2, 3,
    ]);
    expect(await peek('--any-sender', '-t', '*.b', '-T', '*.a')).toEqual([2, 3]);
  });
});

describe('at least once', () => {
  it('--count 1 five times prints the five events of one batch', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3, 4, 5);
    for (const n of [1, 2, 3, 4, 5]) {
      const finished = await kit.run(['listen', '--count', '1']);
      expect([finished.code, numbersIn(finished)]).toEqual([0, [n]]);
    }
    expect((await kit.run(['listen', '--drain', '--count', '1'])).code).toBe(124);
  });

  it('leaves the position where it was when the reader of stdout is gone, which is no failure', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const broken = await kit.run(['listen'], { breakStdout: { code: 'EPIPE', afterWrites: 0 } });
    expect([broken.code, broken.stderr]).toEqual([0, '']);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1, 2]);
  });

  it('says so when the disk is full, and leaves the position where it was', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const full = await kit.run(['listen'], { breakStdout: { code: 'ENOSPC', afterWrites: 0 } });
    expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('"disk"')]);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1]);
  });

  it('counts an unreadable position as none', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    await kit.run(['listen', '--count', '1']);
    const [position] = await kit.stateFiles();
    await writeFile(join(kit.folder, 'mx2s', position ?? ''), '{"v":1,');
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1, 2]);
  });

  it('keeps files private, and nothing but the position', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    await kit.run(['listen', '--drain']);
    const files = await kit.stateFiles();
    expect(files).toEqual([expect.stringMatching(/positions\/[0-9a-f]{32}\.json$/)]);
    expect((await stat(join(kit.folder, 'mx2s', files[0] ?? ''))).mode & 0o777).toBe(0o600);
  });
});

describe('the end', () => {
  it.each([
    [['--drain'], 0],
    [['--idle', '50ms'], 0],
    [['--timeout', '300ms'], 0],
    [['--drain', '--count', '2'], 124],
    [['--idle', '50ms', '--count', '2'], 124],
    [['--timeout', '300ms', '--count', '2'], 124],
    [['--count', '1'], 0],
  ])('%j ends with %i after the one event there is', async (flags, expected) => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const finished = await kit.run(['listen', ...flags]);
    expect([finished.code, numbersIn(finished)]).toEqual([expected, [1]]);
    if (expected === 124) {
      expect(JSON.parse(finished.stderr)).toMatchObject({ error: { code: 'deadline', retryable: true } });
    }
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([]);
  });

  it.each([
    ['SIGINT', [], 0],
    ['SIGTERM', [], 0],
    ['SIGINT', ['--count', '2'], 130],
    ['SIGTERM', ['--count', '2'], 143],
  ] as const)(
    '%s with %j ends with %i, and everything printed is acknowledged',
    async (signal, flags, expected) => {
      const kit = await openDeviceKit();
      await kit.fill(1);
      const running = kit.start(['listen', ...flags]);
      await running.stdout.until(/\n/);
      running.signal(signal);
      expect((await running.done).code).toBe(expected);
      expect(numbersIn(await kit.run(['listen', '--peek']))).toEqual([]);
    },
  );

  it('waits for what is yet to come', async () => {
    const kit = await openDeviceKit();
    const ready = join(kit.folder, 'ready');
    const running = kit.start(['listen', '--count', '2', '--ready-file', ready]);
    await running.stderr.until(/^ready\n/);
    expect(await readFile(ready, 'utf8')).toBe('ready\n');
    await kit.fill(1, 2);
    const finished = await running.done;
    expect([finished.code, numbersIn(finished)]).toEqual([0, [1, 2]]);
  });
});

describe('--since', () => {
  it('start begins with what is not acknowledged, a token with what follows it', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3);
    await kit.run(['listen', '--count', '2']);
    expect(numbersIn(await kit.run(['listen', '--count', '1', '--since', 'start']))).toEqual([1]);
    expect(numbersIn(await kit.run(['listen', '--drain', '--since', 't2']))).toEqual([3]);
    expect(numbersIn(await kit.run(['listen', '--drain', '--since', 'stored']))).toEqual([]);
  });

  it('with a token that the server does not know is its refusal', async () => {
    const kit = await openDeviceKit();
    const { code, stderr } = await kit.run(['listen', '--drain', '--since', 'nonsense']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('M_INVALID_PARAM')]);
  });

  it('starts over when the server does not know the stored token', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    await kit.run(['listen', '--drain']);
    const [position] = await kit.stateFiles();
    await writeFile(
      join(kit.folder, 'mx2s', position ?? ''),
      '{"v":1,"api":"v3","since":"nonsense","consumed":0}',
    );
    await kit.fill(2);
    const finished = await kit.run(['listen', '--drain']);
    expect([finished.code, numbersIn(finished)]).toEqual([0, [2]]);
    expect(finished.stderr).toMatch(/^warning: .*position.*\n$/);
  });
});

describe('--discard', () => {
  it('empties queue and spool, and says how many', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3);
    await kit.run(['listen', '--count', '1']);
    await kit.run(['request', kit.serverUser, '-t', 'org.example.c']); // spools what waited
    await kit.fromBob(4);
    expect(await kit.run(['listen', '--discard'])).toEqual({
      code: 0,
      stdout: '{"v":1,"discarded":3}\n',
      stderr: '',
    });
    expect((await kit.run(['listen', '--discard', '--text'])).stdout).toBe('discarded 0 events\n');
    expect((await kit.run(['listen', '--drain', '--any-sender'])).stdout).toBe('');
  });
});

describe('--peek', () => {
  it('shows what waits, again and again, stores nothing and needs no lock', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3);
    const running = kit.start(['listen', '--count', '9', '--exec', 'sleep 5', '--hook-retries', '0']);
    for (const flags of [[], ['--sync', 'sliding']]) {
      expect(numbersIn(await kit.run(['listen', '--peek', ...flags]))).toEqual([1, 2, 3]);
    }
    running.signal('SIGINT');
    await running.done;
    expect(await kit.stateFiles()).toEqual([]);
  });

  it('ends with 0 also where --count is more than there is', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const more = await kit.run(['listen', '--peek', '--count', '9']);
    expect([more.code, numbersIn(more)]).toEqual([0, [1, 2]]);
    expect(numbersIn(await kit.run(['listen', '--peek', '--count', '1']))).toEqual([1]);
  });

  it('asks with another timeout each time: Synapse keeps answers for two minutes', async () => {
    const server = await startLoopbackServer(asDevice(() => ({ next_batch: 's1' })));
    const { env } = await deviceAt(server.url);
    for (let round = 0; round < 4; round += 1) await runCli(['listen', '--peek'], { env });
    const timeouts = server.asked.flatMap(({ path }) => /sync\?.*timeout=(\d+)/.exec(path)?.[1] ?? []);
    expect(timeouts).toHaveLength(4);
    expect(new Set(timeouts).size).toBeGreaterThan(1);
    expect(Math.max(...timeouts.map(Number))).toBeLessThanOrEqual(1000);
    expect(server.asked.map(({ path }) => path).join()).not.toContain('since');
  });
});

describe('--sync', () => {
  it('sliding reads, acknowledges, and keeps a position of its own', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3);
    const sliding = ['listen', '--sync', 'sliding'];
    expect(numbersIn(await kit.run([...sliding, '--count', '1']))).toEqual([1]);
    expect(numbersIn(await kit.run([...sliding, '--count', '1']))).toEqual([2]);
    expect(numbersIn(await kit.run(['listen', '--count', '1']))).toEqual([1]); // repeats, no loss
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([2, 3]);
    expect(numbersIn(await kit.run([...sliding, '--drain']))).toEqual([]);
  });

  it('falls back to v3 where there is no sliding sync', async () => {
    const answers = asDevice(() => ({ next_batch: 's1', to_device: { events: [EVENT] } }));
    const server = await startLoopbackServer((asked, response, index) => {
      if (asked.method === 'POST' && asked.path.includes('sync')) {
        json(response, 404, { errcode: 'M_UNRECOGNIZED', error: 'no' });
      } else if (asked.path.endsWith('/versions')) {
        json(response, 200, { versions: ['v1.11'] });
      } else answers(asked, response, index);
    });
    const { env } = await deviceAt(server.url);
    const finished = await runCli(['listen', '--sync', 'sliding', '--count', '1'], { env });
    expect([finished.code, linesIn(finished).length]).toEqual([0, 1]);
    expect(finished.stderr).toMatch(/^warning: .*sliding sync.*\n$/);
  });
});
