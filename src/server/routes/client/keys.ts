/**
 * `/_matrix/client/v3/keys`: what clients with end-to-end encryption publish about their devices. It is kept and
 * handed on as it came; nothing here looks into a key.
 *
 * @see Client-Server API v1.19, "Key management"
 */
import type { DeviceId } from '../../../ids/device-id.js';
import type { ServerName } from '../../../ids/server-name.js';
import { gradeUserId, isServerUser, serverNameOf, type UserId } from '../../../ids/user-id.js';
import type { DeviceRef } from '../../../store/store.js';
import { encodeJson, jsonTextOf, type JsonNode, type JsonObject, type JsonText } from '../../../wire/json.js';
import { objectField, stringField } from '../../body.js';
import { authenticated, stable } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { encodeMembers } from '../../json-members.js';
import { badJson, invalidParam } from '../../refusal.js';
import { countOneTimeKeys } from './key-counts.js';

/** Takes `{device_keys?,one_time_keys?,fallback_keys?}`, gives `{one_time_key_counts}`. */
export const uploadKeys = authenticated('POST', stable('/keys/upload'), async (home, call, device) => {
  const body = call.body();
  const identity = objectField(body, 'device_keys');
  if (identity !== undefined) refuseStrangeKeys(identity, device);
  await home.store.addKeys(device, {
    identity: identity && encodeJson(identity),
    oneTime: keyTexts(objectField(body, 'one_time_keys')),
    fallback: keyTexts(objectField(body, 'fallback_keys')),
  });
  return jsonTextOf({ one_time_key_counts: (await countOneTimeKeys(home, device)) ?? {} });
});

/**
 * Takes `{device_keys:{userId:[deviceId]}}`, gives `{device_keys:{userId:{deviceId:keys}},failures}`. An empty list
 * means all devices. A server user has no device list: it is answered with no devices.
 */
export const queryKeys = authenticated('POST', stable('/keys/query'), async (home, call) => {
  const users = usersAsked(home, objectField(call.body(), 'device_keys'));
  const found: [string, JsonText][] = [];
  for (const [userId, wanted] of users.here) found.push([userId, await deviceKeys(home, userId, wanted)]);
  return encodeMembers([
    ['device_keys', encodeMembers(found)],
    ['failures', users.failures],
  ]);
});

/** Takes `{one_time_keys:{userId:{deviceId:algorithm}}}`, gives `{one_time_keys:{userId:{deviceId:{keyId:key}}},failures}`. */
export const claimKeys = authenticated('POST', stable('/keys/claim'), async (home, call) => {
  const users = usersAsked(home, objectField(call.body(), 'one_time_keys'));
  const found: [string, JsonText][] = [];
  for (const [userId, wanted] of users.here) {
    const keys = await claimFor(home, userId, wanted);
    if (keys.length > 0) found.push([userId, encodeMembers(keys)]);
  }
  return encodeMembers([
    ['one_time_keys', encodeMembers(found)],
    ['failures', users.failures],
  ]);
});

/** Splits the users asked for: those we can answer for, and the servers that we cannot ask. */
function usersAsked(home: Homeserver, asked: JsonObject | undefined) {
  const here: [UserId, JsonNode][] = [];
  const elsewhere = new Set<ServerName>();
  for (const { key, value } of asked?.members ?? []) {
    if (!gradeUserId(key).grammars.historical.valid) throw invalidParam('a user ID is not valid');
    const userId = key as UserId;
    if (isServerUser(userId) || serverNameOf(userId) === home.serverName) here.push([userId, value]);
    else elsewhere.add(serverNameOf(userId));
  }
  const failures = encodeMembers([...elsewhere].map((name) => [name, jsonTextOf({})]));
  return { here, failures };
}

async function deviceKeys(home: Homeserver, userId: UserId, wanted: JsonNode): Promise<JsonText> {
  const names = wanted.kind === 'array' ? wanted.items : [];
  const isWanted = (deviceId: DeviceId): boolean =>
    names.length === 0 || names.some((name) => name.kind === 'string' && name.value === deviceId);
  const found: [string, JsonText][] = [];
  for (const device of await home.store.devices(userId)) {
    const identity = isWanted(device.deviceId) ? (await home.store.keys(device))?.identity : undefined;
    if (identity !== undefined) found.push([device.deviceId, identity]);
  }
  return encodeMembers(found);
}

async function claimFor(home: Homeserver, userId: UserId, wanted: JsonNode): Promise<[string, JsonText][]> {
  if (wanted.kind !== 'object') throw badJson('what stands under a user in one_time_keys is no object');
  const found: [string, JsonText][] = [];
  for (const { key, value } of wanted.members) {
    if (value.kind !== 'string') throw badJson('an algorithm is no string');
    const claimed = await home.store.claimKey({ userId, deviceId: key as DeviceId }, value.value);
    if (claimed !== undefined) found.push([key, encodeMembers([[claimed.keyId, claimed.key]])]);
  }
  return found;
}

function refuseStrangeKeys(identity: JsonObject, device: DeviceRef): void {
  const userId = stringField(identity, 'user_id');
  const deviceId = stringField(identity, 'device_id');
  if (userId !== device.userId || deviceId !== device.deviceId) {
    throw invalidParam('device_keys are for another device than that of the access token');
  }
}

function keyTexts(keys: JsonObject | undefined): ReadonlyMap<string, JsonText> {
  return new Map((keys?.members ?? []).map(({ key, value }) => [key, encodeJson(value)]));
}
