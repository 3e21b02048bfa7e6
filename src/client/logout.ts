import { jsonTextOf } from '../wire/json.js';
import { parseAnswer } from './answer.js';
import type { ClientApi } from './api.js';

/**
 * Ends the session: the token, its device and the messages that wait for it are gone.
 *
 * @throws MatrixError: 401 `M_UNKNOWN_TOKEN` when the session was over already; MalformedResponseError, NetworkError
 * @see Client-Server API v1.19, "POST /logout"
 */
export async function logout(api: ClientApi, signal?: AbortSignal): Promise<void> {
  parseAnswer(await api.call({ method: 'POST', path: '/v3/logout', body: jsonTextOf({}) }, signal));
}
