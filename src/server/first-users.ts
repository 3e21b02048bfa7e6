/** The accounts that the server is started with: each has one device, and a token from each start. */
import { UsageError } from '../errors.js';
import type { DeviceId } from '../ids/device-id.js';
import { parseUserId, type UserId } from '../ids/user-id.js';
import type { Homeserver } from './homeserver.js';
import { createPassword, hashChosenPassword, hashMadeUpPassword } from './passwords.js';
import { createDeviceId, createTokens, pairOf } from './sessions.js';

export interface NewUser {
  /** The localpart. */
  readonly name: string;
  /** Made up unless given. */
  readonly password?: string | undefined;
}

/** An account that the server was started with. */
export interface FirstUser {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly accessToken: string;
  /** Undefined for an account that was there before: what is remembered of its password is a hash. */
  readonly password: string | undefined;
}

/** What accounts are made with. */
type Tools = Pick<Homeserver, 'serverName' | 'store' | 'clock' | 'chance' | 'accessTokenLifetimeMs'>;

/**
 * Makes the accounts that are not there yet, and gives each of all a fresh token.
 * @throws UsageError when a user is named twice; InvalidInputError when a name is none
 */
export async function openFirstUsers(tools: Tools, users: readonly NewUser[]): Promise<FirstUser[]> {
  const opened = new Map<UserId, FirstUser>();
  for (const user of users) {
    const userId = parseUserId(`@${user.name}:${tools.serverName}`, 'strict');
    if (opened.has(userId)) throw new UsageError(`the user ${user.name} is named twice`);
    opened.set(userId, await openFirstUser(tools, userId, user.password));
  }
  return [...opened.values()];
}

async function openFirstUser(tools: Tools, userId: UserId, chosen: string | undefined): Promise<FirstUser> {
  const { store } = tools;
  const isThere = (await store.account(userId)) !== undefined;
  const password = isThere ? undefined : await createAccount(tools, userId, chosen);
  const remembered = (await store.fact(`device_of ${userId}`)) as DeviceId | undefined;
  const deviceId = remembered ?? createDeviceId(tools);
  if (remembered === undefined) await store.keepFact(`device_of ${userId}`, deviceId);
  const tokens = createTokens(tools, false);
  const device = { userId, deviceId, displayName: undefined };
  await store.openSession(device, pairOf(tools, tokens), { revokeOthers: false });
  return { userId, deviceId, accessToken: tokens.accessToken, password };
}

/** Gives the password. */
async function createAccount(
  { store, chance }: Tools,
  userId: UserId,
  chosen: string | undefined,
): Promise<string> {
  const password = chosen ?? createPassword(chance);
  const passwordHash =
    chosen === undefined ? hashMadeUpPassword(password) : await hashChosenPassword(chosen, chance);
  await store.createAccount({ userId, passwordHash });
  return password;
}
