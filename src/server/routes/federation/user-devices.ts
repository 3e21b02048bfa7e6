/** `GET /_matrix/federation/v1/user/devices/{userId}` */
import { jsonTextOf, type JsonText } from '../../../wire/json.js';
import { localAccount } from '../../accounts.js';
import { signed } from '../../endpoint.js';
import { encodeItems, encodeMembers } from '../../json-members.js';
import { notFound } from '../../refusal.js';

/**
 * `{user_id,stream_id,devices:[{device_id,keys,device_display_name?}]}`: the devices that have published keys. The
 * server user has no device list.
 *
 * @see Server-Server API v1.19, "Device Management"
 */
export const userDevices = signed(
  'GET',
  ['/_matrix/federation/v1/user/devices/:userId'],
  async (home, call) => {
    const account = await localAccount(home, call.param('userId'));
    if (account === undefined) throw notFound('there is no such user');
    const devices: JsonText[] = [];
    for (const device of await home.store.devices(account.userId)) {
      const keys = (await home.store.keys(device))?.identity;
      if (keys === undefined) continue;
      const name = device.displayName;
      devices.push(
        encodeMembers([
          ['device_id', jsonTextOf(device.deviceId)],
          ['keys', keys],
          ...(name === undefined ? [] : ([['device_display_name', jsonTextOf(name)]] as const)),
        ]),
      );
    }
    return encodeMembers([
      ['user_id', jsonTextOf(account.userId)],
      ['stream_id', NO_UPDATES],
      ['devices', encodeItems(devices)],
    ]);
  },
);

/** No `m.device_list_update` is ever sent, so there is nothing to count. */
const NO_UPDATES = jsonTextOf(0);
