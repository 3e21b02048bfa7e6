/**
 * Stored sessions under names of the user's choice: which homeserver, which user and device, which tokens.
 * The only file of ours that holds secrets.
 */
import { join } from 'node:path';
import { parseAccessToken } from '../client/access-token.js';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import type { Clock } from '../clock.js';
import { InvalidInputError } from '../errors.js';
import { parseDeviceId, type DeviceId } from '../ids/device-id.js';
import { parseUserId, type UserId } from '../ids/user-id.js';
import {
  booleanMember,
  JsonSyntaxError,
  member,
  numberMember,
  parseJson,
  stringMember,
  type JsonNode,
} from '../wire/json.js';
import { hashedName } from './device-files.js';
import { withLock } from './lock.js';
import type { Directories } from './paths.js';
import { readSettings, writeSettings, type SignalListeners } from './settings-file.js';

declare const profileNameBrand: unique symbol;
/** The name of a profile, made by `parseProfileName`. */
export type ProfileName = string & { readonly [profileNameBrand]: true };

export interface Profile {
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  /** We made the device by logging in; false for one that came with an access token, which may be another client's. */
  readonly ownDevice: boolean;
  readonly accessToken: string;
  readonly refreshToken?: string | undefined;
  /** When the access token ends, in milliseconds since the epoch; undefined: not before it is refused. */
  readonly expiresAtMs?: number | undefined;
}

export interface Profiles {
  /** The profile that is used where none is named. */
  readonly current: ProfileName | undefined;
  readonly byName: ReadonlyMap<ProfileName, Profile>;
}

/** As before the first login. */
export const NO_PROFILES: Profiles = { current: undefined, byName: new Map() };

/** The profile that `login` fills where none is named. */
export const DEFAULT_PROFILE = 'default' as ProfileName;

export interface ProfileStore {
  /** Absolute; for messages. */
  readonly file: string;
  /** @throws InvalidInputError when the file is not ours or broken, UnreadableFileError */
  read(): Promise<Profiles>;
  /**
   * Reads, changes and writes under a lock, so that writers at the same time lose nothing. Gives what was
   * written. A `change` that returns what it was given writes nothing.
   *
   * @throws InvalidInputError, UnreadableFileError, DiskError, DeviceLockedError, the signal's reason
   */
  update(change: (profiles: Profiles) => Profiles, signal?: AbortSignal): Promise<Profiles>;
}

export interface ProfileStoreOptions {
  readonly directories: Directories;
  readonly clock: Clock;
  /** This process, for the lock. */
  readonly pid: number;
  readonly signals: SignalListeners;
}

/** Opens the file of profiles. Nothing is read or made yet. */
export function openProfileStore({ directories, clock, pid, signals }: ProfileStoreOptions): ProfileStore {
  const file = join(directories.config, 'profiles.json');
  const read = async (): Promise<Profiles> => {
    const text = await readSettings(file);
    return text === undefined ? NO_PROFILES : parseProfiles(text, file);
  };
  return {
    file,
    read,
    update: async (change, signal) => {
      const lock = join(directories.state, 'locks', `${await hashedName([file])}.profiles`);
      return withLock(lock, { pid, clock, signal }, async () => {
        const before = await read();
        const after = change(before);
        if (after !== before) await writeSettings(file, encodeProfiles(after), signals);
        return after;
      });
    },
  };
}

/** With `profile` under `name`, which becomes current where nothing is. */
export function withProfile(profiles: Profiles, name: ProfileName, profile: Profile): Profiles {
  const current = profiles.current !== undefined && profiles.byName.has(profiles.current);
  return {
    current: current ? profiles.current : name,
    byName: new Map(profiles.byName).set(name, profile),
  };
}

/** Without the profile `name`; where it was current, nothing is. */
export function withoutProfile(profiles: Profiles, name: ProfileName): Profiles {
  const byName = new Map(profiles.byName);
  if (!byName.delete(name)) return profiles;
  return { current: profiles.current === name ? undefined : profiles.current, byName };
}

/** With the profile `name` as the current one. */
export function withCurrent(profiles: Profiles, name: ProfileName): Profiles {
  return profiles.current === name ? profiles : { ...profiles, current: name };
}

/**
 * The name of a profile: up to 255 letters, digits and `. _ - @ :`, so that a user ID may be one.
 * @throws InvalidInputError
 */
export function parseProfileName(text: string): ProfileName {
  if (PROFILE_NAME.test(text)) return text as ProfileName;
  throw new InvalidInputError(`${JSON.stringify(text.slice(0, 80))} is no name for a profile`, {
    hint: 'use letters, digits and . _ - @ : (the first a letter, a digit or @)',
  });
}

/**
 * Reads the text of the file: `{"v":1,"current"?,"profiles":{NAME:{"homeserver","user_id","device_id",
 * "own_device","access_token","refresh_token"?,"expires_at_ms"?}}}`.
 *
 * @throws InvalidInputError naming the file and the place, and nothing of what stands there
 */
export function parseProfiles(text: string, file: string): Profiles {
  const fail = (what: string, hint = `mend ${file}, or move it away and log in again`): never => {
    throw new InvalidInputError(`the profiles in ${file} cannot be used: ${what}`, { hint });
  };
  const root = parseTree(text, fail);
  if (numberMember(root, 'v') !== 1) {
    fail('they are not of this version of mx2s', `move ${file} away and log in again, or use a newer mx2s`);
  }
  const entries = member(root, 'profiles');
  if (entries?.kind !== 'object') return fail('there is no object at /profiles');
  const byName = new Map<ProfileName, Profile>();
  for (const { key, value } of entries.members) {
    if (!PROFILE_NAME.test(key)) return fail('a profile has a name that is none');
    byName.set(
      key as ProfileName,
      parseProfile(value) ?? fail(`the profile at /profiles/${key} is not whole`),
    );
  }
  const current = stringMember(root, 'current') as ProfileName | undefined;
  return { current: current !== undefined && byName.has(current) ? current : undefined, byName };
}

function parseTree(text: string, fail: (what: string) => never): JsonNode {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    return fail(`it is no JSON at character ${error.offset}`);
  }
}

function parseProfile(node: JsonNode): Profile | undefined {
  const homeserver = stringMember(node, 'homeserver');
  const userId = stringMember(node, 'user_id');
  const deviceId = stringMember(node, 'device_id');
  const accessToken = stringMember(node, 'access_token');
  if (homeserver === undefined || userId === undefined) return undefined;
  if (deviceId === undefined || accessToken === undefined) return undefined;
  try {
    return {
      homeserver: parseHomeserverUrl(homeserver),
      userId: parseUserId(userId, 'historical'),
      deviceId: parseDeviceId(deviceId, 'historical'),
      ownDevice: booleanMember(node, 'own_device') ?? false,
      accessToken: parseAccessToken(accessToken),
      refreshToken: stringMember(node, 'refresh_token'),
      expiresAtMs: numberMember(node, 'expires_at_ms'),
    };
  } catch (error) {
    if (error instanceof InvalidInputError) return undefined;
    throw error;
  }
}

function encodeProfiles({ current, byName }: Profiles): Record<string, unknown> {
  const profiles = [...byName].map(([name, profile]) => [name, encodeProfile(profile)] as const);
  return { v: 1, ...(current === undefined ? {} : { current }), profiles: Object.fromEntries(profiles) };
}

function encodeProfile(profile: Profile): Record<string, unknown> {
  return {
    homeserver: profile.homeserver,
    user_id: profile.userId,
    device_id: profile.deviceId,
    own_device: profile.ownDevice,
    access_token: profile.accessToken,
    refresh_token: profile.refreshToken,
    expires_at_ms: profile.expiresAtMs,
  };
}

const PROFILE_NAME = /^[A-Za-z0-9@][A-Za-z0-9._@:-]{0,254}$/;
