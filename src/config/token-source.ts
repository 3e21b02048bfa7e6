/** Access tokens for `ClientApi`: one that stays as it is, and one of a profile that is renewed in time. */
import { parseAccessToken } from '../client/access-token.js';
import type { TokenSource } from '../client/api.js';
import type { Tokens } from '../client/login.js';
import { MalformedResponseError, MatrixError, Mx2sError } from '../errors.js';
import { withLock, type LockWaiter } from './lock.js';
import { withProfile, type Profile, type ProfileName, type ProfileStore } from './profiles.js';

/** A token from a flag or the environment: there is no other when it is refused. */
export function fixedToken(accessToken: string): TokenSource {
  return {
    current: () => Promise.resolve(accessToken),
    renew: () => Promise.resolve(undefined),
  };
}

export interface StoredTokenOptions {
  readonly store: ProfileStore;
  readonly name: ProfileName;
  /** As it was read when the session was opened. */
  readonly profile: Profile;
  /** The lock file of this device's tokens. */
  readonly refreshLock: string;
  readonly waiter: Omit<LockWaiter, 'signal'>;
  /** Asks the homeserver for a new pair. */
  refresh(refreshToken: string, signal?: AbortSignal): Promise<Tokens>;
}

/**
 * The token of a profile, renewed shortly before it expires and when it is refused.
 *
 * A homeserver voids a pair that was never used when its refresh token is traded a second time, so only one
 * process at a time trades it: under a lock, after looking whether another one did meanwhile. The new pair is
 * stored before it is used, since its first use voids the old one (Client-Server API v1.19, "Refreshing access
 * tokens").
 *
 * Both functions throw `token_refused` when the homeserver refuses the refresh token, and what the file, the
 * lock and the request throw.
 */
export function storedTokens(options: StoredTokenOptions): TokenSource {
  const { store, name, refreshLock, waiter, refresh } = options;
  let held = options.profile;

  const expiresSoon = ({ expiresAtMs }: Profile): boolean =>
    expiresAtMs !== undefined && expiresAtMs - waiter.clock.now() < EXPIRY_MARGIN_MS;

  const trade = async (stored: Profile, refreshToken: string, signal?: AbortSignal): Promise<Profile> => {
    try {
      return withTokens(stored, await refresh(refreshToken, signal), waiter.clock.now());
    } catch (error) {
      throw isRefusal(error) ? sessionOver(name, error) : error;
    }
  };

  /** Another token than `stale` for the same device, or undefined where the profile has none. */
  const other = async (stale: string, signal?: AbortSignal): Promise<string | undefined> =>
    withLock(refreshLock, { ...waiter, signal }, async () => {
      const stored = (await store.read()).byName.get(name);
      if (stored === undefined || !isSameDevice(stored, held)) return undefined;
      held = stored;
      if (stored.accessToken !== stale && !expiresSoon(stored)) return stored.accessToken;
      if (stored.refreshToken === undefined) return undefined;

      const renewed = await trade(stored, stored.refreshToken, signal);
      // a login or a logout that came between has the last word; an interrupt must not lose the pair
      await store.update((profiles) =>
        profiles.byName.get(name)?.accessToken === stored.accessToken
          ? withProfile(profiles, name, renewed)
          : profiles,
      );
      held = renewed;
      return renewed.accessToken;
    });

  return {
    current: async (signal) => {
      const { accessToken, refreshToken } = held;
      if (refreshToken === undefined || !expiresSoon(held)) return accessToken;
      return (await other(accessToken, signal)) ?? accessToken;
    },
    renew: other,
  };
}

/**
 * A profile with the tokens of an answer that came at `nowMs`.
 * @throws MalformedResponseError for an access token that cannot stand in a header
 */
export function withTokens(
  profile: Omit<Profile, 'accessToken'>,
  { accessToken, refreshToken, expiresInMs }: Tokens,
  nowMs: number,
): Profile {
  const expiresAtMs = expiresInMs === undefined ? undefined : nowMs + expiresInMs;
  try {
    return { ...profile, accessToken: parseAccessToken(accessToken), refreshToken, expiresAtMs };
  } catch (cause) {
    throw new MalformedResponseError(
      'an access token of visible ASCII characters',
      profile.homeserver,
      `${profile.homeserver} gave out an access token that cannot be used`,
      { hint: "tell the homeserver's administrator", cause },
    );
  }
}

function isSameDevice(a: Profile, b: Profile): boolean {
  return a.homeserver === b.homeserver && a.userId === b.userId && a.deviceId === b.deviceId;
}

/** A locked account keeps its session (Client-Server API v1.19, "Account locking"). */
function isRefusal(error: unknown): error is MatrixError {
  return error instanceof MatrixError && REFUSALS.has(error.status) && error.errcode !== 'M_USER_LOCKED';
}

function sessionOver(name: ProfileName, cause: MatrixError): Mx2sError {
  const answer = [cause.status, cause.errcode].filter((part) => part !== undefined).join(' ');
  return new Mx2sError(
    'token_refused',
    `the homeserver does not renew the session of profile ${name} (${answer})`,
    {
      hint: `log in again with mx2s login --profile ${name}: it keeps the device`,
      cause,
    },
  );
}

const REFUSALS: ReadonlySet<number> = new Set([400, 401, 403, 404]);
/** Long enough for a request to arrive before the token expires. */
const EXPIRY_MARGIN_MS = 10_000;
