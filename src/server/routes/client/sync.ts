/** `GET /_matrix/client/v3/sync` */
import type { DeviceRef } from '../../../store/store.js';
import { JsonSyntaxError, jsonTextOf, parseJson, type JsonText } from '../../../wire/json.js';
import type { Call } from '../../call.js';
import { authenticated, stable } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { MAX_BATCH, readBatch } from '../../inbox.js';
import { encodeItems, encodeMembers } from '../../json-members.js';
import { Refusal, badJson, invalidParam } from '../../refusal.js';
import { countOneTimeKeys } from './key-counts.js';
import { parseTimeoutMs } from './timeout.js';

/**
 * `{next_batch,to_device?:{events},device_one_time_keys_count?}`. There are no rooms, so nothing else is ever there.
 *
 * A first sync answers at once, whatever its timeout: clients ask for one to learn where they are. So does one with
 * `full_state`.
 *
 * @see Client-Server API v1.19, `GET /sync`, "Extensions to /sync"
 */
export const sync = authenticated('GET', stable('/sync'), async (home, call, device) => {
  const since = call.query('since');
  const timeoutMs = parseTimeoutMs(call.query('timeout'));
  await checkFilter(home, call, device);
  const atOnce = since === undefined || call.query('full_state') === 'true';
  const waitMs = atOnce ? 0 : timeoutMs;
  const { nextBatch, events } = await readBatch(home, device, {
    since,
    limit: MAX_BATCH,
    waitMs,
    call,
  });
  const members: [string, JsonText][] = [['next_batch', jsonTextOf(nextBatch)]];
  if (events.length > 0) members.push(['to_device', encodeMembers([['events', encodeItems(events)]])]);
  const counts = await countOneTimeKeys(home, device);
  if (counts !== undefined) members.push(['device_one_time_keys_count', jsonTextOf(counts)]);
  return encodeMembers(members);
});

/** A filter by ID or in place. Nothing in it can keep a to-device event back, but it has to be one. */
async function checkFilter(home: Homeserver, call: Call, { userId }: DeviceRef): Promise<void> {
  const filter = call.query('filter');
  if (filter === undefined) return;
  if (!filter.startsWith('{')) {
    if ((await home.store.filter(userId, filter)) === undefined)
      throw invalidParam('there is no such filter');
    return;
  }
  try {
    if (parseJson(filter).kind !== 'object') throw badJson('the filter is no object');
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new Refusal(400, 'M_NOT_JSON', `the filter is not JSON: ${error.message}`);
  }
}
