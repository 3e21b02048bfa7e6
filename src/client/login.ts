/**
 * The legacy login API.
 * @see Client-Server API v1.19, "Login"
 */
import { MatrixError } from '../errors.js';
import type { UserId } from '../ids/user-id.js';
import { jsonTextOf, member, numberMember, stringMember, type JsonObject } from '../wire/json.js';
import { optionalDeviceId, parseAnswer, requiredString, requiredUserId } from './answer.js';
import type { ApiAnswer, ClientApi } from './api.js';
import { withHint } from './error-answer.js';

/** What lets a client in. Secrets. */
export interface Tokens {
  readonly accessToken: string;
  /** Present if the access token can be renewed. */
  readonly refreshToken: string | undefined;
  /** How long the access token is good; undefined if it does not expire. */
  readonly expiresInMs: number | undefined;
}

/** A session as the homeserver made it. */
export interface LoginAnswer extends Tokens {
  readonly userId: UserId;
  readonly deviceId: string;
  /** `well_known`: where the homeserver says it is; should replace the URL used (not checked). */
  readonly wellKnownBaseUrl: string | undefined;
}

/** Which ways to log in the homeserver offers: `m.login.password`, … Unknown ones are kept. */
export async function loginFlows(api: ClientApi, signal?: AbortSignal): Promise<readonly string[]> {
  const answer = await api.call({ method: 'GET', path: '/v3/login', auth: 'none' }, signal);
  const flows = member(parseAnswer(answer), 'flows');
  if (flows?.kind !== 'array') return [];
  return flows.items.map((flow) => stringMember(flow, 'type')).filter((type) => type !== undefined);
}

export interface PasswordLogin {
  /** Localpart or full user ID. */
  readonly user: string;
  readonly password: string;
  /** Keeps this device: its earlier tokens are revoked. Without it the homeserver makes a new one. */
  readonly deviceId?: string | undefined;
  /** Shown in the user's list of sessions; ignored for a known device. */
  readonly deviceName?: string | undefined;
}

/**
 * Logs in with a password and asks for refresh tokens. Makes a device, so it is repeated only if the request
 * never left.
 *
 * A device ID `""` is never sent: stock servers would make a device of that name, which is the server user's
 * (R-24).
 *
 * @throws MatrixError (403 `M_FORBIDDEN` for a wrong password), RateLimitedError, MalformedResponseError
 */
export async function passwordLogin(
  api: ClientApi,
  { user, password, deviceId, deviceName }: PasswordLogin,
  signal?: AbortSignal,
): Promise<LoginAnswer> {
  const body = jsonTextOf({
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user },
    password,
    device_id: deviceId === '' ? undefined : deviceId,
    initial_device_display_name: deviceName,
    refresh_token: true,
  });
  const call = { method: 'POST', path: '/v3/login', body, auth: 'none', retry: 'unsent' } as const;
  try {
    return parseLoginAnswer(await api.call(call, signal));
  } catch (error) {
    const isWrong = error instanceof MatrixError && error.errcode === 'M_FORBIDDEN';
    throw isWrong ? withHint(error, 'check the user name and the password') : error;
  }
}

function parseLoginAnswer(answer: ApiAnswer): LoginAnswer {
  const root = parseAnswer(answer);
  const tokens = parseTokens(answer, root);
  const secrets = [tokens.accessToken, tokens.refreshToken].filter((secret) => secret !== undefined);
  optionalDeviceId(answer, root, secrets); // is it one that may be shown?
  return {
    userId: requiredUserId(answer, root),
    deviceId: requiredString(answer, root, 'device_id'),
    ...tokens,
    wellKnownBaseUrl: stringMember(member(member(root, 'well_known'), 'm.homeserver'), 'base_url'),
  };
}

/** The members that the answers of login and refresh have in common. */
export function parseTokens(answer: ApiAnswer, root: JsonObject): Tokens {
  return {
    accessToken: requiredString(answer, root, 'access_token'),
    refreshToken: stringMember(root, 'refresh_token'),
    expiresInMs: numberMember(root, 'expires_in_ms'),
  };
}
