/** Simplified sliding sync: to-device events and what end-to-end encryption asks for; there are no rooms. */
import type { DeviceRef } from '../../../store/store.js';
import { jsonTextOf, member, type JsonNode, type JsonObject, type JsonText } from '../../../wire/json.js';
import { booleanField, objectField, stringField } from '../../body.js';
import type { Call } from '../../call.js';
import { authenticated } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { MAX_BATCH, readBatch, waitIdle } from '../../inbox.js';
import { encodeItems, encodeMembers } from '../../json-members.js';
import { Refusal, badJson, invalidParam } from '../../refusal.js';
import { countOneTimeKeys } from './key-counts.js';
import { parseTimeoutMs } from './timeout.js';

/**
 * Takes `{conn_id?,lists?,extensions:{to_device:{enabled,limit?,since?},e2ee?}}`, gives
 * `{pos,lists,rooms,extensions:{to_device:{next_batch,events}}}`.
 *
 * `pos` and `timeout` stand in the query of the unstable endpoint and in the body of the stable one. The
 * extension's own `since` acknowledges, not `pos`. Without a `pos` the answer comes at once.
 *
 * @see MSC4186; MSC4538 for the extension, also under its unstable name
 */
export const slidingSync = authenticated(
  'POST',
  ['/_matrix/client/v4/sync', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync'],
  async (home, call, device) => {
    const body = call.body();
    const extensions = objectField(body, 'extensions');
    const toDevice = parseToDevice(extensions);
    const asked = call.query('pos') ?? stringField(body, 'pos');
    const timeoutMs = parseTimeoutMs(call.query('timeout') ?? numberText(member(body, 'timeout'), 'timeout'));
    const pos = home.connections.advance(device, stringField(body, 'conn_id') ?? '', asked);
    if (pos === undefined)
      throw new Refusal(400, 'M_UNKNOWN_POS', 'pos is not known: begin anew without one');

    const waitMs = asked === undefined ? 0 : timeoutMs;
    const answers = await Promise.all([
      toDevice ? answerToDevice(home, call, device, toDevice, waitMs) : waitIdle(home, device, waitMs, call),
      booleanField(objectField(extensions, 'e2ee'), 'enabled') ? answerE2ee(home, device) : undefined,
    ]);
    return encodeMembers([
      ['pos', jsonTextOf(pos)],
      ['lists', emptyLists(objectField(body, 'lists'))],
      ['rooms', jsonTextOf({})],
      ['extensions', encodeMembers(answers.filter((answer) => answer instanceof Array))],
    ]);
  },
);

interface ToDeviceRequest {
  /** The name that it was asked by, and is answered by. */
  readonly name: string;
  readonly since: string | undefined;
  readonly limit: number;
}

function parseToDevice(extensions: JsonObject | undefined): ToDeviceRequest | undefined {
  const name = TO_DEVICE_NAMES.find((each) => member(extensions, each) !== undefined);
  const request = name === undefined ? undefined : objectField(extensions, name);
  if (name === undefined || !booleanField(request, 'enabled')) return undefined;
  const limit = Number(numberText(member(request, 'limit'), 'limit') ?? MAX_BATCH);
  if (!Number.isSafeInteger(limit) || limit < 1) throw invalidParam('limit is no positive integer');
  return { name, since: stringField(request, 'since'), limit: Math.min(limit, MAX_BATCH) };
}

async function answerToDevice(
  home: Homeserver,
  call: Call,
  device: DeviceRef,
  { name, since, limit }: ToDeviceRequest,
  waitMs: number,
): Promise<[string, JsonText]> {
  const { nextBatch, events } = await readBatch(home, device, { since, limit, waitMs, call });
  const answer = encodeMembers([
    ['next_batch', jsonTextOf(nextBatch)],
    ['events', encodeItems(events)],
  ]);
  return [name, answer];
}

async function answerE2ee(home: Homeserver, device: DeviceRef): Promise<[string, JsonText]> {
  const counts = await countOneTimeKeys(home, device);
  return ['e2ee', jsonTextOf({ device_one_time_keys_count: counts })];
}

/** Every list that was asked for, with nothing in it. */
function emptyLists(asked: JsonObject | undefined): JsonText {
  return encodeMembers((asked?.members ?? []).map(({ key }) => [key, jsonTextOf({ count: 0 })]));
}

function numberText(value: JsonNode | undefined, name: string): string | undefined {
  if (value === undefined) return undefined;
  if (value.kind !== 'number') throw badJson(`${name} is no number`);
  return value.text;
}

/** Stable and unstable (MSC4538, "Unstable prefix"). */
const TO_DEVICE_NAMES = ['to_device', 'org.matrix.msc4538.to_device'];
