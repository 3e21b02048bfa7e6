/** Looking for the account that a request names. */
import { parseUserId, type UserId } from '../ids/user-id.js';
import type { Account } from '../store/store.js';
import type { Homeserver } from './homeserver.js';

/** The account with that user ID; undefined when there is none, or it is no user ID. Never the server user. */
export async function localAccount(
  { store, serverUser }: Pick<Homeserver, 'store' | 'serverUser'>,
  text: string,
): Promise<Account | undefined> {
  let userId: UserId;
  try {
    userId = parseUserId(text, 'historical');
  } catch {
    return undefined;
  }
  return userId === serverUser ? undefined : store.account(userId);
}
