/** The files that belong to one device: its position, its spool, its locks and its token. */
import { join } from 'node:path';
import type { Directories } from './paths.js';

/** What tells devices apart. */
export interface DeviceKey {
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  readonly userId: string;
  readonly deviceId: string;
}

export interface DeviceFiles {
  readonly position: string;
  readonly spool: string;
  /** Held by whoever reads the device's messages. */
  readonly lock: string;
  /** Held by whoever renews the device's tokens. */
  readonly refreshLock: string;
  /** The access token of a device that belongs to no profile. */
  readonly token: string;
}

/** The paths for one device. The names are hashes: nothing a server says becomes part of a path. */
export async function deviceFilesOf(directories: Directories, device: DeviceKey): Promise<DeviceFiles> {
  const name = await hashedName([device.homeserver, device.userId, device.deviceId]);
  return {
    position: join(directories.state, 'positions', `${name}.json`),
    spool: join(directories.state, 'spools', `${name}.ndjson`),
    lock: join(directories.state, 'locks', `${name}.device`),
    refreshLock: join(directories.state, 'locks', `${name}.refresh`),
    token: join(directories.state, 'tokens', name),
  };
}

/** A file name made of `parts` and of nothing in them; equal only for equal parts. */
export async function hashedName(parts: readonly string[]): Promise<string> {
  const { createHash } = await import('node:crypto'); // slow, and who has the token from the environment may not need it
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, NAME_CHARACTERS);
}

/** 128 bits: two devices never share a name by accident. */
const NAME_CHARACTERS = 32;
