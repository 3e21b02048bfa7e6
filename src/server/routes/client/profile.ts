/** `GET /_matrix/client/v3/profile/{userId}`: accounts have no more than their ID. */
import { jsonTextOf } from '../../../wire/json.js';
import { localAccount } from '../../accounts.js';
import { open, stable } from '../../endpoint.js';
import { notFound } from '../../refusal.js';

/**
 * `{}` for an account, 404 `M_NOT_FOUND` for anybody else. The server user is nobody: it has no profile.
 * @see Client-Server API v1.19, "Profiles"
 */
export const profile = open('GET', stable('/profile/:userId'), async (home, call) => {
  if ((await localAccount(home, call.param('userId'))) === undefined) throw notFound('there is no such user');
  return jsonTextOf({});
});

/** One field of it: always 404. */
export const profileField = open('GET', stable('/profile/:userId/:field'), async () => {
  throw notFound('there is no such profile field');
});
