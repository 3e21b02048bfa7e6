/** `/_matrix/client/v3/devices`: what devices an account has. */
import { gradeDeviceId, type DeviceId } from '../../../ids/device-id.js';
import type { Device, DeviceRef } from '../../../store/store.js';
import { jsonTextOf } from '../../../wire/json.js';
import { stringField } from '../../body.js';
import type { Call } from '../../call.js';
import { authenticated, stable } from '../../endpoint.js';
import { notFound } from '../../refusal.js';
import { endDevice } from '../../sessions.js';

/** `{"devices":[{device_id,display_name?}]}`. @see Client-Server API v1.19, "Device management" */
export const listDevices = authenticated('GET', stable('/devices'), async (home, _call, { userId }) =>
  jsonTextOf({ devices: (await home.store.devices(userId)).map(encodeDevice) }),
);

export const readDevice = authenticated('GET', stable('/devices/:deviceId'), async (home, call, caller) => {
  const device = await home.store.device(deviceNamed(call, caller));
  if (device === undefined) throw unknownDevice();
  return jsonTextOf(encodeDevice(device));
});

/** Renames a device. Never makes one: a device comes of a login, and `""` of nothing at all. */
export const renameDevice = authenticated('PUT', stable('/devices/:deviceId'), async (home, call, caller) => {
  const displayName = stringField(call.body(), 'display_name');
  if (!(await home.store.renameDevice(deviceNamed(call, caller), displayName))) throw unknownDevice();
  return jsonTextOf({});
});

/** Deletes a device. The specification has clients confirm this with a password; who holds a token here may do it. */
export const deleteDevice = authenticated(
  'DELETE',
  stable('/devices/:deviceId'),
  async (home, call, caller) => {
    if (!(await endDevice(home, deviceNamed(call, caller)))) throw unknownDevice();
    return jsonTextOf({});
  },
);

function deviceNamed(call: Call, { userId }: DeviceRef): DeviceRef {
  const deviceId = call.param('deviceId');
  if (!gradeDeviceId(deviceId).grammars.strict.valid) throw unknownDevice();
  return { userId, deviceId: deviceId as DeviceId };
}

function encodeDevice({ deviceId, displayName }: Device): object {
  return { device_id: deviceId, display_name: displayName };
}

function unknownDevice() {
  return notFound('there is no such device');
}
