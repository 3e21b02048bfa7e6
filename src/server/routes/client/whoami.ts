/** `GET /_matrix/client/v3/account/whoami` */
import { jsonTextOf } from '../../../wire/json.js';
import { authenticated, stable } from '../../endpoint.js';

/** `{user_id,device_id,is_guest}`. @see Client-Server API v1.19, `GET /account/whoami` */
export const whoami = authenticated('GET', stable('/account/whoami'), async (_home, _call, device) =>
  jsonTextOf({ user_id: device.userId, device_id: device.deviceId, is_guest: false }),
);
