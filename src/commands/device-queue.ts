/** Taking a device's queue into our hands: what `listen` and `request` do before they read it. */
import { deviceHasKeys } from '../client/keys-query.js';
import { deviceFilesOf, type DeviceFiles } from '../config/device-files.js';
import { takeDeviceLock } from '../config/lock.js';
import { directoriesOf } from '../config/paths.js';
import { PositionKeeper } from '../config/position-keeper.js';
import { SharedDeviceError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { isServerUser, serverNameOf } from '../ids/user-id.js';
import { openBatchSource } from '../listen/batch-source.js';
import { QueueReader, type LineReport, type QueueReaderOptions } from '../listen/queue-reader.js';
import type { Talk } from '../ui/streams.js';
import type { Context } from './context.js';
import { deviceOf, openSession, type Session, type SessionDevice } from './session.js';

export interface DeviceQueue {
  readonly session: Session;
  readonly device: SessionDevice;
  /** Of the user that we are. */
  readonly ownServer: ServerName;
  readonly files: DeviceFiles;
  readonly positions: PositionKeeper;
  /** Stores the last position, and gives the device's lock up. @throws DiskError */
  release(): void;
}

/**
 * Opens the session and takes the lock of its device.
 *
 * @param isShared the user knows that another client reads this device, too
 * @throws DeviceLockedError, SharedDeviceError, and what opening a session throws
 */
export async function takeDeviceQueue(context: Context, isShared: boolean): Promise<DeviceQueue> {
  return takeQueueOf(await openSession(context), context, isShared);
}

/** The same for a session that is open already. @throws DeviceLockedError, SharedDeviceError, InvalidInputError */
export async function takeQueueOf(
  session: Session,
  { env, pid, clock, signal }: Context,
  isShared: boolean,
): Promise<DeviceQueue> {
  const device = await deviceOf(session, signal);
  const files = await deviceFilesOf(directoriesOf(env), device);
  const lock = await takeDeviceLock(files.lock, pid);
  try {
    if (!isShared) await refuseSharedDevice(session, device, signal);
  } catch (error) {
    lock.release();
    throw error;
  }
  const positions = new PositionKeeper(files.position, clock);
  const release = (): void => leaveQueue(positions, lock);
  return { session, device, ownServer: serverNameOf(device.userId), files, positions, release };
}

/** Stores the last position, and gives the device's lock up. @throws DiskError */
export function leaveQueue(positions: PositionKeeper, lock: { release(): void }): void {
  try {
    positions.close();
  } finally {
    lock.release();
  }
}

export interface ReaderOptions extends Pick<
  QueueReaderOptions,
  'start' | 'insistOnStart' | 'freshStart' | 'maxOfflineMs'
> {
  /** Is each position on disk before the next event is handed over? */
  readonly storesAtOnce?: boolean | undefined;
}

/** A reader of the queue, which stores its position with the device's files and tells of the line on stderr. */
export function openReader(
  { talk, clock, chance, globals }: Context,
  { session, positions }: DeviceQueue,
  { storesAtOnce = false, ...options }: ReaderOptions,
): QueueReader {
  const api = session.apiWith({ retries: 0, maxWaitMs: globals.maxWaitMs });
  return new QueueReader({
    ...options,
    source: openBatchSource(options.start.api, api, chance),
    retries: globals.retries,
    store: (position) => (storesAtOnce ? positions.storeAtOnce(position) : positions.store(position)),
    clock,
    chance,
    report: lineReport(talk),
  });
}

/** Tells of the line to the homeserver on stderr: once when it goes down, once when it is back. */
export function lineReport(talk: Talk): LineReport {
  return {
    down: (error) => talk.notice(`the connection is lost, trying again until it is back: ${error.message}`),
    up: () => talk.notice('the connection is back'),
    limited: (waitMs) =>
      talk.notice(`the homeserver asks for patience, trying again in ${Math.ceil(waitMs / 1000)} s`),
    startedOver: (error) =>
      talk.warn(
        `the homeserver does not know the position that was stored, so what is not acknowledged comes again: ${error.message}`,
      ),
  };
}

/**
 * To acknowledge is to delete. A device that we did not make, and that has published keys, belongs to a client
 * that needs its messages. A server user has no keys, and is not asked for.
 */
async function refuseSharedDevice(
  session: Session,
  device: SessionDevice,
  signal: AbortSignal,
): Promise<void> {
  if (session.ownDevice || isServerUser(device.userId)) return;
  if (!(await deviceHasKeys(session.api, device, signal))) return;
  throw new SharedDeviceError(
    `the device ${device.deviceId} of ${device.userId} has encryption keys: another client reads its messages, and would lose those read here`,
    {
      hint: 'mx2s login makes a device of its own; --peek reads and leaves everything in place; --shared-device reads all the same',
    },
  );
}
