import { jsonTextOf } from '../wire/json.js';
import { parseAnswer } from './answer.js';
import type { ClientApi } from './api.js';
import { parseTokens, type Tokens } from './login.js';

/**
 * Trades a refresh token for a new access token. When the answer brings no new refresh token, the old one is
 * kept.
 *
 * Save the answer before its first use: until then the old refresh token is still good, afterwards it is not.
 * For the same reason the request may be repeated.
 *
 * @throws MatrixError: 401 `M_UNKNOWN_TOKEN` (perhaps `softLogout`) or 403 when the session is over
 * @see Client-Server API v1.19, "POST /refresh"
 */
export async function refresh(
  api: ClientApi,
  { refreshToken }: { readonly refreshToken: string },
  signal?: AbortSignal,
): Promise<Tokens> {
  const body = jsonTextOf({ refresh_token: refreshToken });
  const answer = await api.call({ method: 'POST', path: '/v3/refresh', body, auth: 'none' }, signal);
  const tokens = parseTokens(answer, parseAnswer(answer));
  return { ...tokens, refreshToken: tokens.refreshToken ?? refreshToken };
}
