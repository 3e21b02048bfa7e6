import { parseSync, type SyncBatch } from '../wire/sync.js';
import { placeOf } from './answer.js';
import type { ClientApi } from './api.js';

export interface SyncV3 {
  /** The `nextBatch` of the batch before: acknowledges it. Without it the answer begins at what is unacknowledged. */
  readonly since?: string | undefined;
  /** How long the server may hold the request while nothing is there; 0 asks for what is there now. */
  readonly timeoutMs: number;
  /** Default `LIGHT_FILTER`. */
  readonly filter?: string | undefined;
}

/**
 * One `GET /v3/sync`, read for its to-device messages only.
 *
 * @throws MalformedResponseError, MatrixError, RateLimitedError, NetworkError
 * @see Client-Server API v1.19, "GET /sync", "Send-to-Device messaging"
 */
export async function syncV3(
  api: ClientApi,
  { since, timeoutMs, filter = LIGHT_FILTER }: SyncV3,
  signal?: AbortSignal,
): Promise<SyncBatch> {
  const answer = await api.call(
    {
      method: 'GET',
      path: '/v3/sync',
      query: {
        filter,
        ...(since === undefined ? {} : { since }),
        set_presence: 'offline',
        timeout: String(timeoutMs),
      },
      timeoutMs: timeoutMs + SYNC_GRACE_MS,
      maxBodyBytes: MAX_SYNC_BYTES,
    },
    signal,
  );
  return parseSync(answer.body, () => placeOf(answer));
}

/**
 * No rooms, no presence, no account data: what is left is to-device messages, which no filter can choose.
 * @see Client-Server API v1.19, "Filtering"
 */
export const LIGHT_FILTER = '{"room":{"rooms":[]},"presence":{"types":[]},"account_data":{"types":[]}}';

/** How much longer than the server's own timeout a sync may take. */
export const SYNC_GRACE_MS = 15_000;
/** The longest sync answer that is read. */
export const MAX_SYNC_BYTES = 64 * 1024 * 1024;
