/** Who calls: tokens are given, checked, renewed and ended here. */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE, gradeDeviceId, type DeviceId } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import type { DeviceRef, TokenPair } from '../store/store.js';
import { jsonTextOf, type JsonText } from '../wire/json.js';
import type { Call } from './call.js';
import type { Homeserver } from './homeserver.js';
import { Refusal, forbidden, invalidParam } from './refusal.js';
import { createToken, hashToken } from './tokens.js';

/** What a client is told at login, registration and refresh. */
export interface GivenTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly expiresInMs: number | undefined;
}

export interface LoginWishes {
  /** Undefined, or the empty string, for a new device: `""` belongs to the server. */
  readonly deviceId: string | undefined;
  readonly displayName: string | undefined;
  /** The client can refresh, so its access token may expire. */
  readonly canRefresh: boolean;
}

/**
 * Logs an account in: on a new device, or on a known one, whose earlier tokens end.
 *
 * @returns the body of the answer: `{user_id,device_id,access_token,refresh_token?,expires_in_ms?}`
 * @see Client-Server API v1.19, `POST /login`
 * @throws Refusal 400 `M_INVALID_PARAM` for a device ID that no message could be addressed to
 */
export async function logIn(home: Homeserver, userId: UserId, wishes: LoginWishes): Promise<JsonText> {
  const deviceId = wishes.deviceId ? parseWishedDevice(wishes.deviceId) : createDeviceId(home);
  const given = createTokens(home, wishes.canRefresh);
  await home.store.openSession({ userId, deviceId, displayName: wishes.displayName }, pairOf(home, given), {
    revokeOthers: true,
  });
  return jsonTextOf({ user_id: userId, device_id: deviceId, ...encodeTokens(given) });
}

/**
 * The device that an access token stands for.
 *
 * @throws Refusal 401 `M_MISSING_TOKEN`; 401 `M_UNKNOWN_TOKEN`, with `soft_logout` when it expired; 403 `M_FORBIDDEN`
 *   when the call wants to act as the server user
 */
export async function authenticate(home: Homeserver, call: Call): Promise<DeviceRef> {
  if (call.accessToken === undefined) throw new Refusal(401, 'M_MISSING_TOKEN', 'no access token');
  const session = await home.store.useAccessToken(hashToken(call.accessToken));
  if (session === undefined) throw unknownToken('the access token is not known', false);
  if (session.expiresTs !== undefined && session.expiresTs <= home.clock.now()) {
    throw unknownToken('the access token has expired', true);
  }
  if (call.query('user_id') === home.serverUser) throw forbidden('nobody acts as the server');
  return session.device;
}

/**
 * Exchanges a refresh token. The old one stays good until the new pair is used.
 *
 * @returns the body of the answer: `{access_token,refresh_token,expires_in_ms}`
 * @throws Refusal 401 `M_UNKNOWN_TOKEN`
 */
export async function refresh(home: Homeserver, refreshToken: string): Promise<JsonText> {
  const given = createTokens(home, true);
  const renewed = await home.store.renewSession(hashToken(refreshToken), pairOf(home, given));
  if (!renewed) throw unknownToken('the refresh token is not known', false);
  return jsonTextOf(encodeTokens(given));
}

/** Ends a device: its tokens, its queue, its long polls. False when there is no such device. */
export async function endDevice(home: Homeserver, device: DeviceRef): Promise<boolean> {
  const ended = await home.store.deleteDevice(device);
  home.waiters.wake(device, 'over');
  home.connections.forget(device);
  return ended;
}

/** Makes tokens; `pairOf` gives what the store may know of them. */
export function createTokens(
  home: Pick<Homeserver, 'chance' | 'accessTokenLifetimeMs'>,
  canRefresh: boolean,
): GivenTokens {
  return {
    accessToken: createToken('access', home.chance),
    refreshToken: canRefresh ? createToken('refresh', home.chance) : undefined,
    expiresInMs: canRefresh ? home.accessTokenLifetimeMs : undefined,
  };
}

export function pairOf(home: Pick<Homeserver, 'clock'>, given: GivenTokens): TokenPair {
  return {
    accessTokenHash: hashToken(given.accessToken),
    expiresTs: given.expiresInMs === undefined ? undefined : home.clock.now() + given.expiresInMs,
    refreshTokenHash: given.refreshToken === undefined ? undefined : hashToken(given.refreshToken),
  };
}

/** Ten capital letters, as other homeservers make them. */
export function createDeviceId({ chance }: Pick<Homeserver, 'chance'>): DeviceId {
  const letters = Array.from(chance.bytes(DEVICE_ID_LETTERS), (byte) =>
    String.fromCharCode(65 + (byte % 26)),
  );
  return letters.join('') as DeviceId;
}

function parseWishedDevice(text: string): DeviceId {
  const valid = gradeDeviceId(text).grammars.strict.valid;
  if (
    !valid ||
    text === WILDCARD_DEVICE ||
    text === SERVER_DEVICE_ID ||
    text.length > MAX_DEVICE_ID_CHARACTERS
  ) {
    throw invalidParam(`device_id is not a device ID of at most ${MAX_DEVICE_ID_CHARACTERS} characters`);
  }
  return text as DeviceId;
}

function encodeTokens({ accessToken, refreshToken, expiresInMs }: GivenTokens): object {
  return { access_token: accessToken, refresh_token: refreshToken, expires_in_ms: expiresInMs };
}

function unknownToken(message: string, softLogout: boolean): Refusal {
  return new Refusal(401, 'M_UNKNOWN_TOKEN', message, { fields: { soft_logout: softLogout } });
}

const DEVICE_ID_LETTERS = 10;
const MAX_DEVICE_ID_CHARACTERS = 512;
