/** Where batches come from: one of the two sync APIs. */
import type { Chance } from '../chance.js';
import type { ClientApi } from '../client/api.js';
import { openSlidingSync } from '../client/sliding-sync.js';
import { syncV3 } from '../client/sync.js';
import type { SyncApi } from '../config/position.js';
import { MalformedResponseError } from '../errors.js';
import type { Batch } from './open-batch.js';

export interface BatchRequest {
  /** Acknowledges all up to it; undefined asks for everything unacknowledged. */
  readonly since: string | undefined;
  /** How long the server may wait for an event. */
  readonly timeoutMs: number;
  /** Nothing from a cache, please. With a `since` there is no cache to fear. */
  readonly fresh?: boolean | undefined;
}

export interface BatchSource {
  readonly api: SyncApi;
  /**
   * Asks once. Calls must follow each other.
   * @throws MatrixError, MalformedResponseError, RateLimitedError, NetworkError, the signal's reason
   */
  read(request: BatchRequest, signal: AbortSignal): Promise<Batch>;
}

/** Opens one of the two sync APIs as a source of batches. */
export function openBatchSource(
  kind: SyncApi,
  api: ClientApi,
  chance: Pick<Chance, 'fraction'>,
): BatchSource {
  return kind === 'v3' ? v3Source(api, chance) : slidingSource(api);
}

function v3Source(api: ClientApi, chance: Pick<Chance, 'fraction'>): BatchSource {
  return {
    api: 'v3',
    read: ({ since, timeoutMs, fresh }, signal) => {
      const isVaried = fresh === true && since === undefined;
      return syncV3(api, { since, timeoutMs: isVaried ? variedTimeoutMs(chance) : timeoutMs }, signal);
    },
  };
}

/**
 * Synapse keeps the answer to a sync for two minutes, and gives it again to one with the same parameters. Without
 * a `since`, only the timeout can make a difference. Short, for there are servers that do wait.
 */
function variedTimeoutMs(chance: Pick<Chance, 'fraction'>): number {
  return 1 + Math.floor(chance.fraction() * 1000);
}

function slidingSource(api: ClientApi): BatchSource {
  const connection = openSlidingSync(api);
  return {
    api: 'sliding',
    async read({ since, timeoutMs }, signal) {
      const batch = await connection.sync({ since, timeoutMs }, signal);
      if (batch.events.length > 0 && batch.nextBatch === undefined) throw unacknowledgeable(api);
      return batch;
    },
  };
}

/** Without a token the same events would come for ever. */
function unacknowledgeable({ baseUrl }: ClientApi): MalformedResponseError {
  return new MalformedResponseError(
    'a string next_batch',
    `sliding sync at ${baseUrl}`,
    `sliding sync at ${baseUrl} gave events without the token that acknowledges them`,
    { hint: 'try the other API: --sync v3' },
  );
}
