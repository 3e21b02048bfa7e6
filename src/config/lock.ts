/**
 * Locks between processes, by file, for one machine. Advisory: they bind only who asks.
 *
 * A lock is a directory, and its holder an empty file in it, named by PID and start time. Both appear at once,
 * by renaming a directory that was prepared aside: POSIX lets a directory replace an empty one and nothing
 * else, so only one taker succeeds. A dead holder's file is removed by its own name, which nobody else's can
 * be; so of two that find the same dead holder, neither can remove the other, and one rename wins.
 */
import { mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../clock.js';
import { DeviceLockedError } from '../errors.js';
import { diskError, FILE_MODE, hasErrno, makePrivateDirectory } from './private-file.js';
import { processStart } from './process-start.js';

export interface Lock {
  /** Gives it up; may be called twice. */
  release(): void;
}

/**
 * Takes the lock of a device. A dead holder's is taken over at once.
 *
 * @param pid this process
 * @throws DeviceLockedError when a living process, this one included, holds it; DiskError
 */
export async function takeDeviceLock(path: string, pid: number): Promise<Lock> {
  const outcome = await tryLock(path, pid);
  if ('release' in outcome) return outcome;
  throw new DeviceLockedError(
    outcome.holderPid,
    `another mx2s (process ${outcome.holderPid}) reads the messages of this device`,
    {
      hint: `stop process ${outcome.holderPid}, or log in on a device of its own: mx2s login --profile NAME`,
    },
  );
}

export interface LockWaiter {
  /** This process. */
  readonly pid: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does `work` while holding the lock, after waiting for whoever holds it.
 *
 * @throws DeviceLockedError when it stayed held for two minutes, DiskError, the signal's reason
 */
export async function withLock<T>(path: string, waiter: LockWaiter, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(path, waiter);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function waitForLock(path: string, { pid, clock, signal }: LockWaiter): Promise<Lock> {
  const startedAtMs = clock.monotonic();
  for (;;) {
    const outcome = await tryLock(path, pid);
    if ('release' in outcome) return outcome;
    if (clock.monotonic() - startedAtMs > MAX_WAIT_MS) {
      throw new DeviceLockedError(
        outcome.holderPid,
        `another mx2s (process ${outcome.holderPid}) has been busy with the profiles for ${MAX_WAIT_MS / 1000} s`,
        { hint: `look at what process ${outcome.holderPid} does, and stop it if it hangs` },
      );
    }
    await clock.sleep(POLL_MS, signal);
  }
}

async function tryLock(path: string, pid: number): Promise<Lock | { readonly holderPid: number }> {
  const self = `${pid}.${(await processStart(pid)) ?? ''}`;
  makePrivateDirectory(dirname(path));
  try {
    const staging = mkdtempSync(`${path}.`);
    try {
      writeFileSync(join(staging, self), '', { mode: FILE_MODE });
      for (;;) {
        if (renamed(staging, path)) return heldLock(path, self);
        for (const holder of holdersOf(path)) {
          if (await isAlive(holder)) return { holderPid: pidOf(holder) };
          rmSync(join(path, holder), { force: true });
        }
      }
    } finally {
      rmSync(staging, { recursive: true, force: true });
    }
  } catch (error) {
    throw diskError(path, error);
  }
}

/** False when the lock is held: the directory there is not empty. */
function renamed(staging: string, path: string): boolean {
  try {
    renameSync(staging, path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOTEMPTY', 'EEXIST')) return false;
    throw error;
  }
}

/** At most one; none when it was released since. */
function holdersOf(path: string): string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

async function isAlive(holder: string): Promise<boolean> {
  const start = holder.slice(holder.indexOf('.') + 1);
  return (await processStart(pidOf(holder))) === start;
}

/** A name that is not ours gives NaN, the PID of no process. */
function pidOf(holder: string): number {
  return Number(holder.slice(0, holder.indexOf('.')));
}

function heldLock(path: string, self: string): Lock {
  let held = true;
  return {
    release: () => {
      if (!held) return;
      held = false;
      try {
        unlinkSync(join(path, self));
        rmdirSync(path); // refuses when the next holder is already there
      } catch {
        // what is left of it is taken over when we are gone
      }
    },
  };
}

const POLL_MS = 20;
const MAX_WAIT_MS = 120_000;
