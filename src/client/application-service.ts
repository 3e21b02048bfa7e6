/**
 * What an application service does to have the server user of a homeserver that knows nothing of it: it registers
 * the empty localpart, and logs in on the device `""`.
 *
 * @see Client-Server API v1.19, "POST /register", "POST /login", `m.login.application_service`; MSC4246,
 *   "Proposal"
 */
import { MatrixError } from '../errors.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import { jsonTextOf, stringMember } from '../wire/json.js';
import { malformedAnswer, parseAnswer, requiredString, requiredUserId } from './answer.js';
import type { ClientApi } from './api.js';
import { withHint } from './error-answer.js';

/**
 * Makes the account with the empty localpart. One that is there already is fine, so it may be repeated.
 *
 * @param api whose token is that of the application service
 * @throws MatrixError (`M_EXCLUSIVE` when the user is not in its namespace, `M_UNKNOWN_TOKEN` when the homeserver
 *   does not know the registration), NetworkError, RateLimitedError, the signal's reason
 */
export async function registerServerUser(api: ClientApi, signal?: AbortSignal): Promise<void> {
  const body = jsonTextOf({ type: APPLICATION_SERVICE, username: '', inhibit_login: true });
  try {
    await api.call({ method: 'POST', path: '/v3/register', body }, signal);
  } catch (error) {
    if (error instanceof MatrixError && error.errcode === 'M_USER_IN_USE') return;
    throw advised(error);
  }
}

/**
 * Logs the server user in on its one device, `""`, and gives the access token. The device keeps what waits for it.
 *
 * @param api whose token is that of the application service
 * @throws MalformedResponseError when another user or another device was logged in; else like `registerServerUser`
 */
export async function loginServerUser(api: ClientApi, userId: UserId, signal?: AbortSignal): Promise<string> {
  const body = jsonTextOf({
    type: APPLICATION_SERVICE,
    identifier: { type: 'm.id.user', user: userId },
    device_id: SERVER_DEVICE_ID,
  });
  let answer;
  try {
    answer = await api.call({ method: 'POST', path: '/v3/login', body }, signal);
  } catch (error) {
    throw advised(error);
  }
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
const HINTS: Readonly<Record<string, string>> = {
  M_UNKNOWN_TOKEN:
    'the homeserver does not know this registration: add it to its configuration, and restart it',
  M_EXCLUSIVE: 'the namespace of the registration that the homeserver has does not hold its server user',
  M_INVALID_USERNAME: 'this homeserver lets nobody have the empty localpart, not even an application service',
  M_APPSERVICE_LOGIN_UNSUPPORTED: 'the registration must not have io.element.msc4190',
};
