import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { takeDeviceLock, withLock } from '../../src/config/lock.js';
import { processStart } from '../../src/config/process-start.js';
import { DeviceLockedError, DiskError, InterruptedError } from '../../src/errors.js';
import { bundleScript, startChild, type Child } from './child.js';

let scripts: string;
let holdScript: string;
let raceScript: string;
beforeAll(async () => {
  scripts = mkdtempSync(join(tmpdir(), 'mx2s-lock-scripts-'));
  holdScript = await bundleScript(scripts, 'hold', HOLD);
  raceScript = await bundleScript(scripts, 'race', RACE);
});
afterAll(() => {
  rmSync(scripts, { recursive: true });
});

let directory: string;
let path: string;
const children: Child[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-lock-'));
  path = join(directory, 'locks', 'one.device');
});
afterEach(async () => {
  for (const { process: child, ended } of children.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  rmSync(directory, { recursive: true });
});

function start(script: string, args: readonly string[]): Child {
  const child = startChild(script, args);
  children.push(child);
  return child;
}

describe('takeDeviceLock', () => {
  it('holds until it is released, and leaves nothing behind', async () => {
    const lock = await takeDeviceLock(path, process.pid);
    await expect(takeDeviceLock(path, process.pid)).rejects.toThrow(DeviceLockedError);
    lock.release();
    expect(readdirSync(join(directory, 'locks'))).toEqual([]);
    (await takeDeviceLock(path, process.pid)).release();
  });

  it('releases once: a second call does not touch the next holder', async () => {
    const first = await takeDeviceLock(path, process.pid);
    first.release();
    const second = await takeDeviceLock(path, process.pid);
    first.release();
    await expect(takeDeviceLock(path, process.pid)).rejects.toThrow(DeviceLockedError);
    second.release();
  });

  it('refuses while another process lives, and names it', async () => {
    const child = start(holdScript, [path]);
    await child.speaks;
    const refusal = await takeDeviceLock(path, process.pid).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(DeviceLockedError);
    expect(refusal).toMatchObject({ holderPid: child.process.pid, code: 'device_locked' });
    expect((refusal as DeviceLockedError).message).toContain(`process ${child.process.pid}`);
    expect((refusal as DeviceLockedError).hint).toContain(`stop process ${child.process.pid}`);
  });

  it('is taken over at once from a process that was killed', async () => {
    const child = start(holdScript, [path]);
    await child.speaks;
    child.process.kill('SIGKILL');
    await once(child.process, 'exit');
    (await takeDeviceLock(path, process.pid)).release();
  });

  it('is taken over from a living process that is not the holder, but got its PID', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `${process.pid}.1`), '');
    (await takeDeviceLock(path, process.pid)).release();
  });

  it('is taken over from what is no holder', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'hello'), '');
    (await takeDeviceLock(path, process.pid)).release();
  });

  it('is for its owner only', async () => {
    const lock = await takeDeviceLock(path, process.pid);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    lock.release();
  });

  it('that cannot be made is a disk error', async () => {
    writeFileSync(join(directory, 'locks'), '');
    await expect(takeDeviceLock(path, process.pid)).rejects.toThrow(DiskError);
  });
});

describe("many takers of a dead holder's lock", () => {
  it('have one winner, every time', async () => {
    // each child loops: plants a dead holder, races, and leaves a mark in a directory that would fail if two were in it
    const racers = Array.from({ length: 4 }, () => start(raceScript, [path, join(directory, 'inside')]));
    const results = await Promise.all(racers.map(({ ended }) => ended));
    expect(results).toEqual(racers.map(() => 'never two\n'));
  });
});

describe('withLock', () => {
  const waiter = { pid: process.pid, clock: systemClock };

  it('lets one in at a time, and gives what the work gives', async () => {
    let inside = 0;
    const most: number[] = [];
    const work = async (): Promise<number> => {
      inside += 1;
      most.push(inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      return inside;
    };
    const results = await Promise.all([1, 2, 3, 4].map(() => withLock(path, waiter, work)));
    expect(results).toEqual([0, 0, 0, 0]);
    expect(most).toEqual([1, 1, 1, 1]);
  });

  it('is released when the work fails', async () => {
    await expect(withLock(path, waiter, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(withLock(path, waiter, () => Promise.resolve('in'))).resolves.toBe('in');
  });

  it('stops waiting when it is interrupted', async () => {
    const interrupt = new AbortController();
    const lock = await takeDeviceLock(path, process.pid);
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => {
        interrupt.abort(new InterruptedError('SIGINT'));
        return systemClock.sleep(ms, signal);
      },
    };
    const waiting = withLock(path, { pid: process.pid, clock, signal: interrupt.signal }, () =>
      Promise.resolve(),
    );
    await expect(waiting).rejects.toThrow(InterruptedError);
    lock.release();
  });

  it('gives up after two minutes, and names the holder', async () => {
    const lock = await takeDeviceLock(path, process.pid);
    let nowMs = 0;
    const clock = {
      ...systemClock,
      monotonic: () => nowMs,
      sleep: () => {
        nowMs += 30_000;
        return Promise.resolve();
      },
    };
    await expect(withLock(path, { pid: process.pid, clock }, () => Promise.resolve())).rejects.toMatchObject({
      holderPid: process.pid,
    });
    expect(nowMs).toBe(150_000);
    lock.release();
  });
});

describe('processStart', () => {
  it('is the same each time for one process, and undefined for none', async () => {
    const started = await processStart(process.pid);
    expect(started).toMatch(/^[\w-]+$/);
    expect(await processStart(process.pid)).toBe(started);
    expect(await processStart(2 ** 22 + 1)).toBeUndefined();
    expect(await processStart(Number.NaN)).toBeUndefined();
  });

  it('is undefined of a process that has ended and was not fetched by its parent', async () => {
    // the shell becomes a program that never asks how its child ended
    const parent = spawn('sh', ['-c', 'true & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      await vi.waitFor(async () => expect(await processStart(Number(line.toString()))).toBeUndefined());
    } finally {
      parent.kill('SIGKILL');
      await once(parent, 'exit');
    }
  });
});

const HOLD = `
import { takeDeviceLock } from '../../src/config/lock.js';
await takeDeviceLock(process.argv[2] ?? '', process.pid);
process.stdout.write('held\\n');
setInterval(() => undefined, 1000);
`;

const RACE = `
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeDeviceLock } from '../../src/config/lock.js';
const [path = '', inside = ''] = process.argv.slice(2);
let won = 0;
while (won < 100) {
  try {
    const lock = await takeDeviceLock(path, process.pid);
    mkdirSync(inside); // fails if another holder is inside
    await new Promise((resolve) => setImmediate(resolve));
    rmdirSync(inside);
    won += 1;
    lock.release();
    // the next takers find a dead holder
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, process.pid + '.0'), '');
  } catch (error) {
    if (error.code === 'device_locked' || error.code === 'ENOENT') continue;
    throw error;
  }
}
process.stdout.write('never two\\n');
`;
