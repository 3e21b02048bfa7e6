/** `POST /_matrix/client/v3/account/deactivate`: the account goes, with its devices and all they have. */
import { jsonTextOf } from '../../../wire/json.js';
import { authenticated, stable } from '../../endpoint.js';
import { endDevice } from '../../sessions.js';

/**
 * `{"id_server_unbind_result":"success"}`, for there are no identity servers. The specification has clients confirm this
 * with a password; who holds a token here may do it. Nothing is kept, so the name can be registered again.
 *
 * @see Client-Server API v1.19, "POST /account/deactivate"
 */
export const deactivate = authenticated(
  'POST',
  stable('/account/deactivate'),
  async (home, _call, { userId }) => {
    for (const device of await home.store.devices(userId)) await endDevice(home, device);
    await home.store.deleteAccount(userId);
    return jsonTextOf({ id_server_unbind_result: 'success' });
  },
);
