import type { JsonText } from '../wire/json.js';
import { parseAnswer } from './answer.js';
import { apiPath } from './api-path.js';
import type { ClientApi } from './api.js';

export interface SendToDevice {
  readonly type: string;
  /** Unique among all that this device sends to this type; the same on every retry. */
  readonly txnId: string;
  /** `{ userId: { deviceId: content } }`; contents are objects. */
  readonly messages: JsonText;
}

export interface Accepted {
  readonly attempts: number;
  readonly elapsedMs: number;
}

/**
 * Hands messages to the homeserver. Success means that it accepted them, never that anyone got them.
 *
 * @throws MatrixError, RateLimitedError, NetworkError, MalformedResponseError
 * @see Client-Server API v1.19, "PUT /sendToDevice/{eventType}/{txnId}"
 */
export async function sendToDevice(
  api: ClientApi,
  { type, txnId, messages }: SendToDevice,
  signal?: AbortSignal,
): Promise<Accepted> {
  const path = sendToDevicePath(type, txnId);
  const body = sendToDeviceBody(messages);
  const answer = await api.call({ method: 'PUT', path, body }, signal);
  parseAnswer(answer); // a proxy's page with status 200 is no acceptance
  return { attempts: answer.attempts, elapsedMs: answer.elapsedMs };
}

/** The path below `/_matrix/client`. @throws InvalidInputError when `type` or `txnId` can stand in no path */
export function sendToDevicePath(type: string, txnId: string): string {
  return apiPath`/v3/sendToDevice/${type}/${txnId}`;
}

/** The request's body around `messages`. */
export function sendToDeviceBody(messages: JsonText): JsonText {
  return `{"messages":${messages}}` as JsonText;
}
