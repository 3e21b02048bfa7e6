import { jsonTextOf } from '../wire/json.js';
import { parseAnswer } from './answer.js';
import type { ClientApi } from './api.js';

/**
 * Ends the session: the token, its device and the messages that wait for it are gone. With `all`, every session
 * of the user.
 *
 * @throws MatrixError: 401 `M_UNKNOWN_TOKEN` when the session was over already; MalformedResponseError, NetworkError
 * @see Client-Server API v1.19, "POST /logout", "POST /logout/all"
 */
export async function logout(
  api: ClientApi,
  { all = false }: { readonly all?: boolean | undefined } = {},
  signal?: AbortSignal,
): Promise<void> {
  const path = all ? '/v3/logout/all' : '/v3/logout';
  parseAnswer(await api.call({ method: 'POST', path, body: jsonTextOf({}) }, signal));
}
