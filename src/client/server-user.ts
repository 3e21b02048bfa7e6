/**
 * What it takes to be the server user of a homeserver that knows nothing of it: an account with the empty localpart,
 * and a login on the device `""`.
 *
 * An application service can make that account where the homeserver lets it (Synapse). Where it does not (Dendrite),
 * the account has to be there, and lets in whoever knows its password.
 *
 * @see Client-Server API v1.19, "POST /register", "POST /login", `m.login.application_service`; Application Service
 *   API v1.19, "Identity assertion"; MSC4246, "Proposal"
 */
import { MatrixError } from '../errors.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import { jsonTextOf, stringMember } from '../wire/json.js';
import { malformedAnswer, parseAnswer, requiredString, requiredUserId } from './answer.js';
import type { ClientApi } from './api.js';
import { withHint } from './error-answer.js';

/**
 * Logs the server user in on its one device, `""`, and gives the access token. The device keeps what waits for it. The
 * account is made if it is not there.
 *
 * @param api whose token is that of the application service
 * @throws MatrixError (`M_EXCLUSIVE` when the user is not in its namespace, `M_UNKNOWN_TOKEN` when the homeserver does
 *   not know the registration, `M_INVALID_USERNAME` when it lets no application service have the empty localpart),
 *   MalformedResponseError when another user or another device was logged in, NetworkError, RateLimitedError, the
 *   signal's reason
 */
export async function loginServerUser(api: ClientApi, userId: UserId, signal?: AbortSignal): Promise<string> {
  try {
    if (await isUnknown(api, userId, signal)) await register(api, signal);
    return await logIn(api, userId, { how: { type: APPLICATION_SERVICE } }, signal);
  } catch (error) {
    throw advised(error);
  }
}

/**
 * The same, with the password of its account.
 * @throws MatrixError (`M_FORBIDDEN` for a wrong password, and when there is no such account)
 */
export async function loginServerUserByPassword(
  api: ClientApi,
  userId: UserId,
  password: string,
  signal?: AbortSignal,
): Promise<string> {
  try {
    return await logIn(api, userId, { how: { type: 'm.login.password', password }, auth: 'none' }, signal);
  } catch (error) {
    const isForbidden = error instanceof MatrixError && error.errcode === 'M_FORBIDDEN';
    throw isForbidden ? withHint(error, NO_ACCOUNT_HINT) : error;
  }
}

/**
 * The homeserver refuses to let the application service speak as this user.
 *
 * That is asked before the account is made, because Dendrite takes an empty user name for none: it would make another
 * account at once, and only then say which.
 */
async function isUnknown(api: ClientApi, userId: UserId, signal?: AbortSignal): Promise<boolean> {
  try {
    await api.call({ method: 'GET', path: '/v3/account/whoami', query: { user_id: userId } }, signal);
    return false;
  } catch (error) {
    if (error instanceof MatrixError && error.code === 'refused') return true;
    throw error;
  }
}

async function register(api: ClientApi, signal?: AbortSignal): Promise<void> {
  const body = jsonTextOf({ type: APPLICATION_SERVICE, username: '', inhibit_login: true });
  try {
    await api.call({ method: 'POST', path: '/v3/register', body }, signal);
  } catch (error) {
    if (!(error instanceof MatrixError && error.errcode === 'M_USER_IN_USE')) throw error;
  }
}

async function logIn(
  api: ClientApi,
  userId: UserId,
  { how, auth }: { how: Readonly<Record<string, string>>; auth?: 'none' },
  signal?: AbortSignal,
): Promise<string> {
  const identifier = { type: 'm.id.user', user: userId };
  const body = jsonTextOf({ ...how, identifier, device_id: SERVER_DEVICE_ID });
  const answer = await api.call({ method: 'POST', path: '/v3/login', body, auth }, signal);
  const root = parseAnswer(answer);
  if (requiredUserId(answer, root) !== userId) throw malformedAnswer(answer, `a login of ${userId}`);
  if (stringMember(root, 'device_id') !== SERVER_DEVICE_ID) {
    throw malformedAnswer(answer, 'a login on the device ""');
  }
  return requiredString(answer, root, 'access_token');
}

/** What the operator can do about the refusals that a wrong registration meets. */
function advised(error: unknown): unknown {
  if (!(error instanceof MatrixError)) return error;
  const hint = HINTS[error.errcode ?? ''];
  return hint === undefined ? error : withHint(error, hint);
}

const APPLICATION_SERVICE = 'm.login.application_service';
const NO_ACCOUNT_HINT =
  'the homeserver has no account with the empty localpart, or its password is another (docs/homeservers.md says how to make one on Dendrite)';
const HINTS: Readonly<Record<string, string>> = {
  M_UNKNOWN_TOKEN:
    'the homeserver does not know this registration: add it to its configuration, and restart it',
  M_EXCLUSIVE: 'the namespace of the registration that the homeserver has does not hold its server user',
  M_INVALID_USERNAME:
    'this homeserver lets no application service have the empty localpart; on Dendrite, use --password-file (see docs/homeservers.md)',
  M_APPSERVICE_LOGIN_UNSUPPORTED: 'the registration must not have io.element.msc4190',
};
