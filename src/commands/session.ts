/**
 * The session a command works in: a homeserver, a token for it, and who that token stands for.
 *
 * Every command that talks to a homeserver opens one here; which source wins is decided in
 * config/credentials.ts.
 */
import type { ClientApi, TokenSource } from '../client/api.js';
import { parseAccessToken } from '../client/access-token.js';
import { openClientApi } from '../client/open.js';
import { refresh } from '../client/refresh.js';
import { whoami } from '../client/whoami.js';
import { chooseCredentials, chooseProfile, type GivenCredentials } from '../config/credentials.js';
import { deviceFilesOf } from '../config/device-files.js';
import { directoriesOf } from '../config/paths.js';
import { openProfileStore, type Profile, type ProfileName, type ProfileStore } from '../config/profiles.js';
import { fixedToken, storedTokens } from '../config/token-source.js';
import { InvalidInputError } from '../errors.js';
import type { HttpClient, RetryPolicy } from '../http/client.js';
import { parseDeviceId, type DeviceId } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import { readSecretFrom } from '../ui/file-input.js';
import type { Context } from './context.js';

export interface Session {
  readonly api: ClientApi;
  /** The same API with other patience, for a caller that has a loop of its own. */
  apiWith(policy: RetryPolicy): ClientApi;
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  /** Which source of credentials won. */
  readonly source: 'flag' | 'environment' | 'profile';
  readonly profile: ProfileName | undefined;
  /** We made the device by logging in, so no other client reads its messages. */
  readonly ownDevice: boolean;
  /** Who it is: from the profile, or from the homeserver, which is asked once. */
  identify(signal?: AbortSignal): Promise<SessionIdentity>;
}

export interface SessionIdentity {
  readonly userId: UserId;
  /** Undefined for a token without a device. */
  readonly deviceId: DeviceId | undefined;
}

/** A device that can receive messages; what `deviceFilesOf` takes. */
export interface SessionDevice {
  readonly homeserver: string;
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

/**
 * Opens the session that flags, environment and profiles name. Nothing is sent yet.
 *
 * @throws UsageError, InvalidInputError, UnreadableFileError, NotLoggedInError
 */
export async function openSession(context: Context): Promise<Session> {
  const choice = chooseCredentials(context.globals, context.env);
  if (choice.kind === 'given') return openGiven(context, choice);
  const { name, profile, homeserver } = chooseProfile(choice, await profileStore(context).read());
  return openStored(context, name, profile, homeserver);
}

/** The session of a profile, at its homeserver or at the URL given for it. */
export async function openStored(
  context: Context,
  name: ProfileName,
  profile: Profile,
  homeserver = profile.homeserver,
): Promise<Session> {
  const http = await context.http();
  const { refreshLock } = await deviceFilesOf(directoriesOf(context.env), profile);
  const tokens = storedTokens({
    store: profileStore(context),
    name,
    profile,
    refreshLock,
    waiter: { pid: context.pid, clock: context.clock },
    refresh: (refreshToken, signal) =>
      refresh(openClientApi({ baseUrl: homeserver, http }), { refreshToken }, signal),
  });
  return {
    ...opened(http, homeserver, tokens),
    source: 'profile',
    profile: name,
    ownDevice: profile.ownDevice,
    identify: () => Promise.resolve({ userId: profile.userId, deviceId: profile.deviceId }),
  };
}

/**
 * The device that a session receives messages on.
 *
 * @throws InvalidInputError when its token has none; what asking the homeserver throws
 * @see Client-Server API v1.19, "GET /account/whoami": `device_id` is absent for such a token
 */
export async function deviceOf(session: Session, signal?: AbortSignal): Promise<SessionDevice> {
  const { userId, deviceId } = await session.identify(signal);
  if (deviceId !== undefined) return { homeserver: session.homeserver, userId, deviceId };
  throw new InvalidInputError('the access token belongs to no device, so no to-device message reaches it', {
    reason: 'no_device',
    hint: 'log in with mx2s login, which makes a device',
  });
}

/**
 * The homeserver that flags, environment and profiles name, for what needs no token; undefined when none does.
 * @throws UsageError, InvalidInputError, UnreadableFileError
 */
export async function knownHomeserver(context: Context): Promise<string | undefined> {
  const choice = chooseCredentials(context.globals, context.env);
  if (choice.kind === 'given' || choice.homeserver !== undefined) return choice.homeserver;
  const profiles = await profileStore(context).read();
  const profile = choice.profile ?? profiles.current;
  return profile && chooseProfile({ ...choice, profile }, profiles).homeserver;
}

/** @throws UsageError when the environment does not say where our files are */
export function profileStore({ env, clock, pid, signalListeners }: Context): ProfileStore {
  return openProfileStore({ directories: directoriesOf(env), clock, pid, signals: signalListeners });
}

/** The session of a homeserver and a token that come together. @throws InvalidInputError, UnreadableFileError */
export async function openGiven(
  context: Context,
  { source, homeserver, token }: GivenCredentials,
): Promise<Session> {
  const text =
    'text' in token ? token.text : await readSecretFrom(token.file, context.stdin, 'the access token');
  const session = opened(await context.http(), homeserver, fixedToken(parseAccessToken(text)));
  let identity: Promise<SessionIdentity> | undefined;
  return {
    ...session,
    source,
    profile: undefined,
    ownDevice: false,
    identify: async (signal) => {
      identity ??= askWhoami(session.api, signal);
      identity.catch(() => (identity = undefined)); // asked again next time
      return identity;
    },
  };
}

function opened(
  http: HttpClient,
  homeserver: string,
  tokens: TokenSource,
): Pick<Session, 'api' | 'apiWith' | 'homeserver'> {
  const apiOver = (client: HttpClient): ClientApi =>
    openClientApi({ baseUrl: homeserver, http: client, tokens });
  return { api: apiOver(http), apiWith: (policy) => apiOver(http.withPolicy(policy)), homeserver };
}

async function askWhoami(api: ClientApi, signal?: AbortSignal): Promise<SessionIdentity> {
  const { userId, deviceId } = await whoami(api, signal);
  return { userId, deviceId: deviceId ? parseDeviceId(deviceId) : undefined };
}
