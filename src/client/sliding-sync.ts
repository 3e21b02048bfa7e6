/**
 * Sliding sync, for its to-device extension alone.
 *
 * Two tokens: `pos` belongs to the connection and is kept here; `since` belongs to the device's queue, is the
 * caller's, and alone acknowledges.
 *
 * @see MSC4186 (accepted, `/v4/sync`); MSC3575 in the simplified form that servers run; MSC4538
 */
import { MatrixError } from '../errors.js';
import { jsonTextOf } from '../wire/json.js';
import { parseSlidingSync, type SlidingSyncBatch } from '../wire/sync.js';
import { placeOf } from './answer.js';
import type { ApiCall, ClientApi } from './api.js';
import { isUnknownEndpoint, withHint } from './error-answer.js';
import { MAX_SYNC_BYTES, SYNC_GRACE_MS } from './sync.js';
import { versions, type Versions } from './versions.js';

export interface SlidingSyncParams {
  /** The last `nextBatch`: acknowledges all up to it. */
  readonly since?: string | undefined;
  /** How long the server may hold the request. The first of a connection returns at once all the same. */
  readonly timeoutMs: number;
}

export interface SlidingConnection {
  /**
   * One sync. Calls must follow each other. `nextBatch` of the answer is undefined when it says nothing of
   * to-device messages: the old one stays good.
   *
   * An expired position (`M_UNKNOWN_POS`) is handled here: the connection starts again with the same `since`.
   *
   * @throws MatrixError (404 when the homeserver has no sliding sync), MalformedResponseError, RateLimitedError,
   *   NetworkError
   */
  sync(params: SlidingSyncParams, signal?: AbortSignal): Promise<SlidingSyncBatch>;
}

/**
 * Opens a connection. The first sync asks `/versions` which endpoint form there is, and tries the other one on
 * 404. Two connections of one device need different names (`connId`).
 */
export function openSlidingSync(api: ClientApi, connId = 'mx2s'): SlidingConnection {
  let dialect: SlidingDialect | undefined;
  let pos: string | undefined;

  const firstSync = async (params: SlidingSyncParams, signal?: AbortSignal): Promise<SlidingSyncBatch> => {
    const attempt = async (candidate: SlidingDialect): Promise<SlidingSyncBatch> => {
      const batch = await slidingSync(api, candidate, { ...params, connId, pos }, signal);
      dialect = candidate;
      return batch;
    };
    const [likely, other] = slidingDialects(await versions(api, {}, signal));
    try {
      return await attempt(likely);
    } catch (error) {
      if (!isUnknownEndpoint(error)) throw error;
    }
    try {
      return await attempt(other);
    } catch (error) {
      throw isUnknownEndpoint(error) ? withHint(error, NO_SLIDING_SYNC) : error;
    }
  };

  const nextSync = async (
    known: SlidingDialect,
    params: SlidingSyncParams,
    signal?: AbortSignal,
  ): Promise<SlidingSyncBatch> => {
    try {
      return await slidingSync(api, known, { ...params, connId, pos }, signal);
    } catch (error) {
      if (pos === undefined || !isUnknownPosition(error)) throw error;
      pos = undefined;
      return slidingSync(api, known, { ...params, connId, pos }, signal);
    }
  };

  return {
    async sync(params, signal) {
      const batch = await (dialect === undefined
        ? firstSync(params, signal)
        : nextSync(dialect, params, signal));
      pos = batch.pos;
      return batch;
    },
  };
}

/** One way to say it. */
export interface SlidingDialect {
  /** `stable` is `/v4/sync`, `unstable` the endpoint of the simplified MSC3575. */
  readonly form: 'stable' | 'unstable';
  /** What the to-device extension is called. */
  readonly extension: 'to_device' | 'org.matrix.msc4538.to_device';
}

/**
 * The dialects in the order to try them. No specification version that has `/v4/sync` is out, so it is tried unless the
 * homeserver says that it has the unstable form; its extension has a prefix until MSC4538 is accepted.
 */
export function slidingDialects({
  features,
}: Pick<Versions, 'features'>): readonly [likely: SlidingDialect, other: SlidingDialect] {
  const unstable: SlidingDialect = { form: 'unstable', extension: 'to_device' };
  const stable: SlidingDialect = {
    form: 'stable',
    extension: features.has('org.matrix.msc4538.stable') ? 'to_device' : 'org.matrix.msc4538.to_device',
  };
  return features.has('org.matrix.simplified_msc3575') ? [unstable, stable] : [stable, unstable];
}

/** One request, in the dialect given, without memory. */
export async function slidingSync(
  api: ClientApi,
  dialect: SlidingDialect,
  params: SlidingSyncParams & { readonly connId: string; readonly pos: string | undefined },
  signal?: AbortSignal,
): Promise<SlidingSyncBatch> {
  const answer = await api.call(slidingSyncCall(dialect, params), signal);
  return parseSlidingSync(answer.body, () => placeOf(answer));
}

function slidingSyncCall(
  { form, extension }: SlidingDialect,
  { connId, pos, since, timeoutMs }: SlidingSyncParams & { connId: string; pos: string | undefined },
): ApiCall {
  const body = { conn_id: connId, extensions: { [extension]: { enabled: true, limit: EVENT_LIMIT, since } } };
  const limits = { timeoutMs: timeoutMs + SYNC_GRACE_MS, maxBodyBytes: MAX_SYNC_BYTES };
  if (form === 'stable') {
    return {
      method: 'POST',
      path: '/v4/sync',
      body: jsonTextOf({ ...body, pos, timeout: timeoutMs, set_presence: 'offline' }),
      ...limits,
    };
  }
  return {
    method: 'POST',
    path: '/unstable/org.matrix.simplified_msc3575/sync',
    query: {
      ...(pos === undefined ? {} : { pos }),
      timeout: String(timeoutMs),
      set_presence: 'offline',
    },
    body: jsonTextOf(body),
    ...limits,
  };
}

function isUnknownPosition(error: unknown): boolean {
  return error instanceof MatrixError && error.errcode === 'M_UNKNOWN_POS';
}

const NO_SLIDING_SYNC = 'the homeserver has no sliding sync: use --sync v3';
/** As many as servers give at most. Never 0: some acknowledge everything then. */
const EVENT_LIMIT = 100;
