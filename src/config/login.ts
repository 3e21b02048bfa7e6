/** Logging in: from a homeserver and a secret to a profile. Asks no person and stores nothing. */
import { parseAccessToken } from '../client/access-token.js';
import { loginFlows, passwordLogin, type LoginAnswer } from '../client/login.js';
import { logout } from '../client/logout.js';
import { openClientApi } from '../client/open.js';
import { versions } from '../client/versions.js';
import { discover, parseDiscoveredUrl } from '../client/well-known.js';
import { whoami } from '../client/whoami.js';
import type { Clock } from '../clock.js';
import {
  InvalidInputError,
  MalformedResponseError,
  MatrixError,
  Mx2sError,
  NetworkError,
} from '../errors.js';
import type { HttpClient } from '../http/client.js';
import { isLoopbackHost } from '../http/loopback.js';
import { parseDeviceId, type DeviceId } from '../ids/device-id.js';
import { localpartOf, type UserId } from '../ids/user-id.js';
import type { LoginPlace } from './login-target.js';
import type { Profile } from './profiles.js';
import { fixedToken, withTokens } from './token-source.js';

export interface LoginTools {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Told what is worth knowing and no failure. */
  readonly notice: (text: string) => void;
}

/**
 * Finds the homeserver's URL, and makes sure that a homeserver answers there before it is told a secret.
 *
 * @throws NetworkError, MalformedResponseError, MatrixError, RedirectError
 */
export async function findHomeserver(place: LoginPlace, { http, signal }: LoginTools): Promise<string> {
  if ('url' in place) {
    await requireHomeserver(place.url, http, signal);
    return place.url;
  }
  const found = await discover(http, place.serverName, signal);
  if (found.found) return found.baseUrl;
  throw new NetworkError(
    { method: 'GET', url: `https://${place.serverName}` },
    `no homeserver was found for ${place.serverName}: ${found.reason}`,
    { hint: 'if you know its URL, give it with --homeserver', retryable: false },
  );
}

export interface LoginByPassword {
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  /** Localpart or full user ID. */
  readonly user: string;
  readonly password: string;
  /** Shown in the user's list of sessions. */
  readonly deviceName: string;
  /** What the profile held before: its device is kept if it is the same user's. */
  readonly previous: Profile | undefined;
}

/**
 * Makes sure that password login is on offer, before anybody is asked for one.
 *
 * @throws Mx2sError `refused` when it is not; MalformedResponseError, NetworkError, RateLimitedError
 */
export async function requirePasswordFlow(homeserver: string, { http, signal }: LoginTools): Promise<void> {
  const flows = await loginFlows(openClientApi({ baseUrl: homeserver, http }), signal).catch(
    (error: unknown) => {
      if (error instanceof MatrixError && error.status === 404) return NO_FLOWS; // a homeserver with OAuth 2.0 only
      throw error;
    },
  );
  if (flows.includes('m.login.password')) return;
  const offer = flows.length === 0 ? 'none of the login types we know' : `only ${flows.join(', ')}`;
  throw new Mx2sError('refused', `${homeserver} does not log in with a password: it offers ${offer}`, {
    hint: 'log in elsewhere, then give that access token with --access-token-file FILE',
  });
}

/**
 * Logs in with a password.
 *
 * @throws MalformedResponseError when the homeserver answers for another user, or with odd tokens or a device
 *   that is none; MatrixError (`refused`: a wrong password), NetworkError, RateLimitedError
 */
export async function profileByPassword(
  { homeserver, user, password, deviceName, previous }: LoginByPassword,
  tools: LoginTools,
): Promise<Profile> {
  const { http, clock, signal } = tools;
  // for a localpart alone the homeserver's URL does not count: it may have moved (see `movedTo`)
  const kept = previous && isUserAsked(previous.userId, user) ? previous.deviceId : undefined;
  const api = openClientApi({ baseUrl: homeserver, http });
  const answer = await passwordLogin(api, { user, password, deviceId: kept, deviceName }, signal);

  const profile = withTokens(
    {
      homeserver,
      userId: answer.userId,
      deviceId: answeredDevice(answer.deviceId, homeserver),
      ownDevice: true,
    },
    answer,
    clock.now(),
  );
  if (!isUserAsked(answer.userId, user)) {
    await endSession(profile, tools);
    throw otherUser(homeserver, user, answer.userId);
  }
  return { ...profile, homeserver: await movedTo(profile, answer, tools) };
}

/**
 * Finds out whom a token that was made elsewhere stands for.
 *
 * @param user whom it should stand for, if that was said
 * @throws InvalidInputError when it stands for no device; MalformedResponseError for another user; MatrixError
 *   (`token_refused`), NetworkError
 */
export async function profileByToken(
  { homeserver, user, accessToken }: { homeserver: string; user: string | undefined; accessToken: string },
  { http, signal }: LoginTools,
): Promise<Profile> {
  const tokens = fixedToken(parseAccessToken(accessToken));
  const { userId, deviceId } = await whoami(openClientApi({ baseUrl: homeserver, http, tokens }), signal);
  if (user !== undefined && !isUserAsked(userId, user)) throw otherUser(homeserver, user, userId);
  if (deviceId === undefined) {
    throw new InvalidInputError('the access token belongs to no device, so no to-device message reaches it', {
      reason: 'no_device',
      hint: 'to send with it, set MX2S_HOMESERVER and MX2S_ACCESS_TOKEN',
    });
  }
  return {
    homeserver,
    userId,
    deviceId: answeredDevice(deviceId, homeserver),
    ownDevice: false,
    accessToken,
  };
}

async function requireHomeserver(url: string, http: HttpClient, signal: AbortSignal): Promise<void> {
  try {
    await versions(openClientApi({ baseUrl: url, http }), { auth: 'none' }, signal);
  } catch (error) {
    if (!(error instanceof MatrixError) || error.status !== 404 || error.errcode !== undefined) throw error;
    const expected = 'a Matrix homeserver';
    throw new MalformedResponseError(expected, error.url, `${url} is not ${expected}: ${error.message}`, {
      hint: `to find the homeserver of a domain, give its name: mx2s login ${new URL(url).host}`,
      cause: error,
    });
  }
}

/** Is this whom the user meant? Homeservers take a localpart in upper case for the account that has it in lower case. */
function isUserAsked(userId: UserId, user: string): boolean {
  if (user.startsWith('@')) return userId === user;
  return localpartOf(userId) === user || localpartOf(userId) === user.toLowerCase();
}

function answeredDevice(deviceId: string, homeserver: string): DeviceId {
  try {
    return parseDeviceId(deviceId, 'historical');
  } catch (cause) {
    throw new MalformedResponseError(
      'a device ID',
      homeserver,
      `${homeserver} gave out a device ID that is none`,
      {
        hint: "tell the homeserver's administrator",
        cause,
      },
    );
  }
}

function otherUser(homeserver: string, asked: string, answered: UserId): MalformedResponseError {
  return new MalformedResponseError(
    `an answer for ${asked}`,
    homeserver,
    `${homeserver} answered for ${answered}, not for ${asked}`,
    { hint: `if that is the account you mean, log in as ${answered}` },
  );
}

/** Ends a session that nobody will use: it should not stay open; that it may is not worth an error of its own. */
export async function endSession(
  { homeserver, accessToken }: Profile,
  { http, signal }: LoginTools,
): Promise<void> {
  const api = openClientApi({ baseUrl: homeserver, http, tokens: fixedToken(accessToken) });
  await logout(api, signal).catch(() => undefined);
}

/**
 * The URL that the homeserver gives for itself, which should replace the one used (Client-Server API v1.19,
 * "POST /login", `well_known`). It does if it is held to the rules of discovery, leads from another machine to
 * this one nowhere, and answers there as a homeserver that knows the same session.
 */
async function movedTo(profile: Profile, answer: LoginAnswer, tools: LoginTools): Promise<string> {
  const { http, signal, notice } = tools;
  const { homeserver, accessToken } = profile;
  if (answer.wellKnownBaseUrl === undefined) return homeserver;
  try {
    const baseUrl = parseDiscoveredUrl(answer.wellKnownBaseUrl, homeserver);
    if (baseUrl === homeserver || (isLocal(baseUrl) && !isLocal(homeserver))) return homeserver;
    const api = openClientApi({ baseUrl, http, tokens: fixedToken(accessToken) });
    await versions(api, { auth: 'none', retry: 'never', timeoutMs: PROBE_TIMEOUT_MS }, signal);
    const there = await whoami(api, signal);
    if (there.userId !== profile.userId || there.deviceId !== profile.deviceId) return homeserver;
    notice(`the homeserver is reached at ${baseUrl} from now on, as it asks`);
    return baseUrl;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Mx2sError)) throw error;
    notice(`the homeserver gives another URL for itself, which is not used: ${error.message}`);
    return homeserver;
  }
}

function isLocal(url: string): boolean {
  return isLoopbackHost(new URL(url).hostname);
}

const NO_FLOWS: readonly string[] = [];
const PROBE_TIMEOUT_MS = 5000;
