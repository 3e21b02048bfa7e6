/** `listen` and `request` as real processes: pipes, files, signals, and death at any moment. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BINARY, isolatedEnv, runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { startLoopbackServer, type Asked } from '../http/loopback-server.js';
import { linesIn, numbersIn, openDeviceKit, type DeviceKit } from './device-kit.js';

describe('the output', () => {
  it('to `head -1` is a line, and the end is quiet', async () => {
    const kit = await openDeviceKit();
    await fillMebibytes(kit, 3);
    const { stdout, stderr } = await shell(kit, '{ $MX2S listen; echo "exit $?" >&2; } | head -1');
    expect(linesIn({ stdout })).toHaveLength(1);
    expect(stderr).toBe('exit 0\n');
  });

  it('of 3 MiB goes whole into a file, and through a pipe', async () => {
    const kit = await openDeviceKit();
    await fillMebibytes(kit, 3);
    const file = join(kit.folder, 'events.ndjson');
    await shell(kit, `$MX2S listen --peek --json | cat > '${file}'`);
    const piped = await readFile(file, 'utf8');
    await shell(kit, `$MX2S listen --drain --json > '${file}'`);
    const stdout = await readFile(file, 'utf8');
    expect(stdout.length).toBeGreaterThan(3 * 1024 * 1024);
    expect(numbersIn({ stdout })).toEqual(upTo(100));
    expect(numbersIn({ stdout: piped })).toEqual(upTo(100));
  });

  it('that fills the disk is a failure, and nothing of it counts as read', async () => {
    const kit = await openDeviceKit();
    await kit.fill(...upTo(20));
    const file = join(kit.folder, 'cut.ndjson');
    const { stderr } = await shell(
      kit,
      `(ulimit -f 2; trap '' XFSZ; $MX2S listen --drain > '${file}'; echo "exit $?" >&2)`,
    );
    expect(stderr).toMatch(/"code":"disk".*\nexit 1\n$/s);
    expect((await readFile(file, 'utf8')).length).toBeLessThanOrEqual(2048);
    expect(numbersIn(await shell(kit, '$MX2S listen --drain'))).toEqual(upTo(20));
  });

  it('into a file that ends in the middle of a line begins a new one', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const { stdout } = await shell(
      kit,
      `cd '${kit.folder}'; printf '{"torn' > o; $MX2S listen --drain >> o; cat o`,
    );
    const [torn, whole = ''] = stdout.split('\n');
    expect(torn).toBe('{"torn');
    expect(JSON.parse(whole)).toMatchObject({ content: { n: 1 } });
  });

  it('needs no stdin', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    expect(numbersIn(await shell(kit, '$MX2S listen --drain <&-'))).toEqual([1]);
  });

  it.each([
    [{ FORCE_COLOR: '1' }, true],
    [{ FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [{ NO_COLOR: '1' }, false],
    [{}, false],
  ])('with %j is coloured: %s', async (env, isColored) => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const { stdout } = await run(kit, ['listen', '--drain', '--text'], env);
    expect(stdout.includes('\u001b[')).toBe(isColored);
  });
});

describe('a signal', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s ends listen well, and soon', async (signal) => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const listening = start(kit, ['listen']);
    await listening.lineOf('stdout', /"n":1\b/);
    const startedAtMs = performance.now();
    listening.kill(signal);
    expect(await listening.result).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    expect(numbersIn(await run(kit, ['listen', '--peek']))).toEqual([]);
  });

  it('ends listen soon also when nobody reads its output, and nothing is lost', async () => {
    const kit = await openDeviceKit();
    await fillMebibytes(kit, 3);
    const listening = spawn(BINARY, ['listen'], {
      env: { ...isolatedEnv(kit.folder), ...kit.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void listening.kill('SIGKILL'));
    await once(listening.stdout, 'readable'); // a beginning is there; the rest waits
    const startedAtMs = performance.now();
    listening.kill('SIGTERM');
    expect(await once(listening, 'exit')).toEqual([0, null]);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    expect(numbersIn(await run(kit, ['listen', '--drain']))).toEqual(upTo(100));
  });

  it('before the goal is 130', async () => {
    const kit = await openDeviceKit();
    const listening = start(kit, ['listen', '--count', '1', '--ready-file', join(kit.folder, 'ready')]);
    await listening.lineOf('stderr', /^ready$/);
    listening.kill('SIGINT');
    expect(await listening.result).toMatchObject({ code: 130, stdout: '' });
  });
});

describe('five times --count 1', () => {
  it('prints five different events', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2, 3, 4, 5);
    for (const n of [1, 2, 3, 4, 5]) {
      expect(numbersIn(await run(kit, ['listen', '--count', '1']))).toEqual([n]);
    }
  });
});

describe('kill -9', () => {
  it.each([
    ['before the first sync', 1, 'before'],
    ['before the first answer is read', 1, 'after'],
    ['before a batch is acknowledged', 2, 'before'],
    ['after a batch was acknowledged, before the next is read', 2, 'after'],
    ['before the last batch is acknowledged', 3, 'before'],
  ] as const)('%s loses nothing', async (_moment, sync, phase) => {
    const kit = await openDeviceKit();
    const all = upTo(120);
    await kit.fill(...all);
    const proxy = await startProxy(kit);
    const env = { MX2S_HOMESERVER: proxy.url };
    const listening = start(kit, ['listen'], env);
    proxy.at(sync, phase, () => listening.kill('SIGKILL'));
    const killed = await listening.result;
    expect(killed.signal).toBe('SIGKILL');
    const rest = await run(kit, ['listen', '--drain'], env);
    expect(distinct([...wholeNumbersIn(killed.stdout), ...numbersIn(rest)])).toEqual(all);
  });

  it('again and again, as soon as there is output, loses nothing', async () => {
    const kit = await openDeviceKit();
    const all = upTo(250);
    await kit.fill(...all);
    const printed: number[] = [];
    while (distinct(printed).length < all.length) {
      const listening = start(kit, ['listen']);
      await listening.lineOf('stdout', /"n":/);
      listening.kill('SIGKILL');
      printed.push(...wholeNumbersIn((await listening.result).stdout));
    }
    expect(distinct(printed)).toEqual(all);
  });

  it('while a hook works loses nothing: its event comes again', async () => {
    const kit = await openDeviceKit();
    const all = upTo(12);
    await kit.fill(...all);
    const taken = join(kit.folder, 'taken.ndjson');
    const quick = `cat >> '${taken}'`;
    const slow = `${quick}; echo working; while kill -0 $PPID; do sleep 0.02; done`;
    for (const [hook, stream, moment] of [
      [slow, 'stderr', /^working$/],
      [quick, 'stdout', /"n":5\b/],
      [slow, 'stderr', /^working$/],
    ] as const) {
      const listening = start(kit, ['listen', '--exec', hook]);
      await listening.lineOf(stream, moment);
      listening.kill('SIGKILL');
      await listening.result;
    }
    await run(kit, ['listen', '--drain', '--exec', quick]);
    expect(distinct(numbersIn({ stdout: await readFile(taken, 'utf8') }))).toEqual(all);
  });

  it('while an answer is waited for loses nothing of what came before it', async () => {
    const kit = await openDeviceKit({ handlers: [{ glob: '*.a', handler: { kind: 'echo' } }] });
    await kit.fill(1, 2);
    const asking = start(kit, ['request', kit.serverUser, '-t', 'nobody.answers']);
    await asking.lineOf('stderr', /accepted/);
    asking.kill('SIGKILL');
    await asking.result;
    await kit.fill(3);
    expect(distinct(numbersIn(await run(kit, ['listen', '--drain'])))).toEqual([1, 2, 3]);
  });

  it('leaves no lock that stands in the way', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const listening = start(kit, ['listen']);
    await listening.lineOf('stdout', /"n":1\b/);
    listening.kill('SIGKILL');
    await listening.result;
    expect(await run(kit, ['listen', '--drain'])).toMatchObject({ code: 0 });
  });
});

describe('request', () => {
  it('beside other traffic loses none of it', async () => {
    const kit = await openDeviceKit();
    const others = upTo(60);
    const traffic = kit.fromBob(...others);
    const answers: number[] = [];
    for (const n of [101, 102, 103, 104]) {
      const data = JSON.stringify({ n });
      answers.push(
        ...numbersIn(await run(kit, ['request', kit.serverUser, '-t', 'org.example.a', '-d', data])),
      );
    }
    await traffic;
    expect(answers).toEqual([101, 102, 103, 104]);
    const rest = await run(kit, ['listen', '--drain', '--any-sender']);
    expect(numbersIn(rest)).toEqual(others);
  });
});

function run(
  kit: DeviceKit,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ReturnType<typeof runBinary> {
  return runBinary(argv, { home: kit.folder, env: { ...kit.env, ...env } });
}

function start(
  kit: DeviceKit,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningBinary {
  const running = startBinary(argv, { home: kit.folder, env: { ...kit.env, ...env } });
  onTestFinished(() => running.stop());
  return running;
}

/** Runs a line of shell in which `$MX2S` is the program. */
function shell(kit: DeviceKit, line: string): Promise<{ stdout: string; stderr: string }> {
  const env = { ...isolatedEnv(kit.folder), ...kit.env, MX2S: BINARY };
  return promisify(execFile)('/bin/sh', ['-c', line], { env, maxBuffer: 16 * 1024 * 1024 });
}

/** Stands before the homeserver, and can act when a sync comes in or when its answer is about to go out. */
async function startProxy({ server }: DeviceKit): Promise<{
  url: string;
  at(sync: number, phase: 'before' | 'after', act: () => void): void;
}> {
  let syncs = 0;
  let act: (sync: number, phase: string) => boolean = () => false;
  const forward = async ({ method, path, headers, body }: Asked, response: ServerResponse): Promise<void> => {
    const sync = path.includes('/sync') ? (syncs += 1) : 0;
    if (act(sync, 'before')) return;
    const answer = await fetch(server.homeserver + path, {
      method,
      headers: { authorization: headers.authorization ?? '' },
      ...(body === '' ? {} : { body }),
    });
    const text = await answer.text();
    if (!act(sync, 'after')) response.writeHead(answer.status).end(text);
  };
  const { url } = await startLoopbackServer((asked, response) => void forward(asked, response));
  return {
    url,
    at: (wantedSync, wantedPhase, onMoment) => {
      act = (sync, phase) => {
        if (sync !== wantedSync || phase !== wantedPhase) return false;
        onMoment();
        return true;
      };
    },
  };
}

async function fillMebibytes(kit: DeviceKit, mebibytes: number): Promise<void> {
  const filler = 'x'.repeat((mebibytes * 1024 * 1024) / 100);
  for (const n of upTo(100)) await kit.echo({ n, filler });
}

/** Of output that may end in the middle of a line. */
function wholeNumbersIn(stdout: string): number[] {
  return numbersIn({ stdout: stdout.slice(0, stdout.lastIndexOf('\n') + 1) });
}

function distinct(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
