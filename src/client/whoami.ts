import type { UserId } from '../ids/user-id.js';
import { booleanMember } from '../wire/json.js';
import { optionalDeviceId, parseAnswer, requiredUserId } from './answer.js';
import type { ClientApi } from './api.js';

export interface Identity {
  readonly userId: UserId;
  /** Undefined for a token without a device, which can never receive to-device messages. */
  readonly deviceId: string | undefined;
  readonly isGuest: boolean;
}

/**
 * Whose token is it? `{"user_id", "device_id"?, "is_guest"?}`
 * @throws MalformedResponseError, MatrixError (`M_UNKNOWN_TOKEN`), NetworkError
 * @see Client-Server API v1.19, "GET /account/whoami"
 */
export async function whoami(api: ClientApi, signal?: AbortSignal): Promise<Identity> {
  const answer = await api.call({ method: 'GET', path: '/v3/account/whoami' }, signal);
  const root = parseAnswer(answer);
  return {
    userId: requiredUserId(answer, root),
    deviceId: optionalDeviceId(answer, root),
    isGuest: booleanMember(root, 'is_guest') ?? false,
  };
}
