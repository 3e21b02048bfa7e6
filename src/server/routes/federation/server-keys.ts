/** `GET /_matrix/key/v2/server` */
import type { Clock } from '../../../clock.js';
import { publishedKeys, type Identity } from '../../../federation/server-keys.js';
import { encodeJson } from '../../../wire/json.js';
import { open } from '../../endpoint.js';

/**
 * The keys of this server, signed with each of them. The key ID at the end of the path was given up by the
 * specification, but old servers ask with it.
 *
 * @see Server-Server API v1.19, "Publishing Keys"
 */
export const serverKeys = open<KeyHolder>(
  'GET',
  ['/_matrix/key/v2/server', '/_matrix/key/v2/server/:keyId'],
  async ({ federation, clock }) => encodeJson(publishedKeys(federation.identity, clock.now())),
);

interface KeyHolder {
  readonly federation: { readonly identity: Identity };
  readonly clock: Pick<Clock, 'now'>;
}
