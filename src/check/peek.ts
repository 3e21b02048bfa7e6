/** Looking into a device's queue as it stands: every member of an event, and nothing acknowledged. */
import type { ClientApi } from '../client/api.js';
import { parseAnswer } from '../client/answer.js';
import { LIGHT_FILTER, MAX_SYNC_BYTES, SYNC_GRACE_MS } from '../client/sync.js';
import { encodeJson, member, type JsonObject } from '../wire/json.js';

/**
 * The events that `GET /v3/sync` gives without a `since`, in order: those that are not acknowledged.
 *
 * @param timeoutMs another one each time: Synapse keeps the answer for two minutes, and gives it to the same question
 * @throws MatrixError, MalformedResponseError, RateLimitedError, NetworkError, the signal's reason
 */
export async function peekEvents(
  api: ClientApi,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const query = { filter: LIGHT_FILTER, set_presence: 'offline', timeout: String(timeoutMs) };
  const limits = { timeoutMs: timeoutMs + SYNC_GRACE_MS, maxBodyBytes: MAX_SYNC_BYTES };
  const answer = await api.call({ method: 'GET', path: '/v3/sync', query, ...limits }, signal);
  const events = member(member(parseAnswer(answer), 'to_device'), 'events');
  return events?.kind === 'array' ? events.items.filter((item) => item.kind === 'object') : [];
}

/** Does the event hold this nonce anywhere? */
export function isWith(nonce: string): (event: JsonObject) => boolean {
  return (event) => encodeJson(event).includes(nonce);
}
