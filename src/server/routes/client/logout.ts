/** `POST /_matrix/client/v3/logout` and `/logout/all`: the device goes, and its queue with it. */
import { jsonTextOf } from '../../../wire/json.js';
import { authenticated, stable } from '../../endpoint.js';
import { endDevice } from '../../sessions.js';

/** @see Client-Server API v1.19, `POST /logout`. The body may be empty. */
export const logout = authenticated('POST', stable('/logout'), async (home, _call, device) => {
  await endDevice(home, device);
  return jsonTextOf({});
});

/** @see Client-Server API v1.19, `POST /logout/all` */
export const logoutAll = authenticated('POST', stable('/logout/all'), async (home, _call, { userId }) => {
  for (const device of await home.store.devices(userId)) await endDevice(home, device);
  return jsonTextOf({});
});
