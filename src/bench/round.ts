/** A round of `bench serve`: a message to one's own device, and the sync that brings it. */
import type { ClientApi } from '../client/api.js';
import { sendToDevice } from '../client/send-to-device.js';
import { syncV3 } from '../client/sync.js';
import { MalformedResponseError } from '../errors.js';
import { jsonTextOf } from '../wire/json.js';

/** An account that nobody else uses, with the position of its device. */
export interface Runner {
  readonly api: ClientApi;
  readonly userId: string;
  readonly deviceId: string;
}

/** How many requests a round takes. */
export const REQUESTS_PER_ROUND = 2;

/**
 * Makes rounds, each with an account that is free: at most as many at a time as there are accounts.
 * @returns the work of one round; it throws what the requests throw, and MalformedResponseError when the message did not
 *   come
 */
export function roundsOf(runners: readonly Runner[]): (number: number, signal: AbortSignal) => Promise<void> {
  const free = runners.map((runner) => ({ runner, since: undefined as string | undefined }));
  return async (number, signal) => {
    const place = free.pop();
    if (place === undefined) throw new Error('there are more rounds at a time than accounts');
    try {
      place.since = await round(place.runner, number, place.since, signal);
    } finally {
      free.push(place);
    }
  };
}

/** Gives the position behind the message. */
async function round(
  { api, userId, deviceId }: Runner,
  number: number,
  since: string | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  const messages = jsonTextOf({ [userId]: { [deviceId]: { number } } });
  await sendToDevice(api, { type: ROUND_TYPE, txnId: `round-${number}`, messages }, signal);
  const { events, nextBatch } = await syncV3(api, { since, timeoutMs: SYNC_TIMEOUT_MS }, signal);
  if (events.length !== 1 || nextBatch === undefined) {
    throw new MalformedResponseError(
      'the one message that was sent',
      `sync at ${api.baseUrl}`,
      `round ${number}: sync gave ${events.length} events, not the one message that was sent`,
    );
  }
  return nextBatch;
}

const ROUND_TYPE = 'mx2s.bench.round';
const SYNC_TIMEOUT_MS = 10_000;
