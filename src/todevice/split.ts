/**
 * Splits a to-device message by who must receive it: the heart of MSC4246, and pure.
 *
 * Content goes through untouched, as the JSON text that came. Devices are kept in a `Map`: `__proto__` is a
 * legal device ID.
 */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE, gradeDeviceId, type DeviceId } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import { gradeUserId, isServerUser, serverNameOf, type UserId } from '../ids/user-id.js';
import type { IdCode } from '../ids/verdict.js';
import type { JsonText } from '../wire/json.js';

/** `{ userId: { deviceId: content } }`, as it stands in a request or an EDU; nothing of it is checked yet. */
export type Messages = ReadonlyMap<string, ReadonlyMap<string, JsonText>>;

export interface SplitMessages {
  /** For users of this server, each user once. */
  readonly local: readonly UserMessages[];
  /** For this server itself: never stored, handed to its subsystem at once. */
  readonly toServer: JsonText | undefined;
  /** For others, by destination, in the form that an EDU carries. A server user has the device `""` only. */
  readonly remote: ReadonlyMap<ServerName, RemoteMessages>;
  readonly rejected: readonly RejectedMessage[];
}

/** What one local user's devices receive. */
export interface UserMessages {
  readonly userId: UserId;
  /** A device named in the request gets the content meant for it, whatever `*` says. */
  readonly named: ReadonlyMap<DeviceId, JsonText>;
  /** For every device that is not named; undefined when the request had no `*`. */
  readonly others: JsonText | undefined;
}

/** What one other server is to receive, by its users and their devices. */
export type RemoteMessages = ReadonlyMap<UserId, ReadonlyMap<DeviceId | typeof WILDCARD_DEVICE, JsonText>>;

export interface RejectedMessage {
  readonly userId: string;
  /** Undefined when the user ID was rejected as a whole. */
  readonly deviceId: string | undefined;
  /** `E_SERVER_DEVICE`: a server has no device but `""`. Else why the identifier does not parse. */
  readonly reason: IdCode | 'E_SERVER_DEVICE';
}

/**
 * Splits `messages` for the server `ownServer`. Order is kept.
 *
 * At a server user, `*` becomes `""` before anything else looks, without asking for devices; where both
 * stand, `""` wins; any other device is rejected, as is `""` at an ordinary user.
 * Never throws: what does not parse is returned in `rejected` with its reason.
 *
 * @see MSC4246, "Proposal"; Client-Server API v1.19, "Send-to-Device messaging"
 */
export function splitMessages(messages: Messages, ownServer: ServerName): SplitMessages {
  const local: UserMessages[] = [];
  const remote = new Map<ServerName, Map<UserId, ReadonlyMap<DeviceId | typeof WILDCARD_DEVICE, JsonText>>>();
  const rejected: RejectedMessage[] = [];
  let toServer: JsonText | undefined;

  for (const [id, contents] of messages) {
    const grade = gradeUserId(id).grammars.historical; // homeservers must accept what the past allowed
    if (!grade.valid) {
      rejected.push({ userId: id, deviceId: undefined, reason: grade.code });
      continue;
    }
    const userId = id as UserId;
    const devices = isServerUser(userId)
      ? serverDevice(userId, contents, rejected)
      : userDevices(userId, contents, rejected);
    if (devices.size === 0) continue;

    const destination = serverNameOf(userId);
    if (destination !== ownServer) {
      const users = remote.get(destination) ?? new Map<UserId, typeof devices>();
      remote.set(destination, users.set(userId, devices));
    } else if (isServerUser(userId)) {
      toServer = devices.get(SERVER_DEVICE_ID);
    } else {
      local.push(localMessages(userId, devices));
    }
  }
  return { local, toServer, remote, rejected };
}

type Devices = Map<DeviceId | typeof WILDCARD_DEVICE, JsonText>;

function serverDevice(
  userId: UserId,
  contents: ReadonlyMap<string, JsonText>,
  rejected: RejectedMessage[],
): Devices {
  for (const deviceId of contents.keys()) {
    if (deviceId !== SERVER_DEVICE_ID && deviceId !== WILDCARD_DEVICE) {
      rejected.push({ userId, deviceId, reason: 'E_SERVER_DEVICE' });
    }
  }
  const content = contents.get(SERVER_DEVICE_ID) ?? contents.get(WILDCARD_DEVICE);
  return content === undefined ? new Map() : new Map([[SERVER_DEVICE_ID, content]]);
}

function userDevices(
  userId: UserId,
  contents: ReadonlyMap<string, JsonText>,
  rejected: RejectedMessage[],
): Devices {
  const devices: Devices = new Map();
  for (const [deviceId, content] of contents) {
    const grade = gradeDeviceId(deviceId).grammars.strict;
    if (deviceId === WILDCARD_DEVICE) devices.set(WILDCARD_DEVICE, content);
    else if (grade.valid) devices.set(deviceId as DeviceId, content);
    else rejected.push({ userId, deviceId, reason: grade.code });
  }
  return devices;
}

function localMessages(userId: UserId, devices: Devices): UserMessages {
  const others = devices.get(WILDCARD_DEVICE);
  const named = new Map<DeviceId, JsonText>();
  for (const [deviceId, content] of devices) {
    if (deviceId !== WILDCARD_DEVICE) named.set(deviceId as DeviceId, content);
  }
  return { userId, named, others };
}
