/** `GET /_matrix/federation/v1/query/profile` */
import { jsonTextOf } from '../../../wire/json.js';
import { localAccount } from '../../accounts.js';
import { signed } from '../../endpoint.js';
import { missingParam, notFound } from '../../refusal.js';

/**
 * `{}` for an account of ours, which has no more than its ID. The server user is nobody: it has no profile.
 * @see Server-Server API v1.19, "Querying for information"
 */
export const queryProfile = signed('GET', ['/_matrix/federation/v1/query/profile'], async (home, call) => {
  const userId = call.query('user_id');
  if (userId === undefined) throw missingParam('user_id');
  if ((await localAccount(home, userId)) === undefined) throw notFound('there is no such user');
  return jsonTextOf({});
});
