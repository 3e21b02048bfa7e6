import { MatrixError } from '../errors.js';
import { jsonTextOf, member } from '../wire/json.js';
import { parseAnswer } from './answer.js';
import type { ClientApi } from './api.js';

/**
 * Has the device published end-to-end encryption keys? Then a client other than mx2s lives on it.
 *
 * A homeserver without this endpoint (404) has no keys either.
 *
 * @throws MalformedResponseError, MatrixError, NetworkError
 * @see Client-Server API v1.19, "POST /keys/query"
 */
export async function deviceHasKeys(
  api: ClientApi,
  { userId, deviceId }: { readonly userId: string; readonly deviceId: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const body = jsonTextOf({ device_keys: { [userId]: [deviceId] } });
  try {
    const answer = await api.call({ method: 'POST', path: '/v3/keys/query', body }, signal);
    const device = member(member(member(parseAnswer(answer), 'device_keys'), userId), deviceId);
    const keys = member(device, 'keys');
    return keys?.kind === 'object' && keys.members.length > 0;
  } catch (error) {
    if (error instanceof MatrixError && error.status === 404) return false;
    throw error;
  }
}
