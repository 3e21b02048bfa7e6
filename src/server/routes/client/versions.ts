/** `GET /_matrix/client/versions` and `GET /.well-known/matrix/client`: what a client asks first. */
import { open } from '../../endpoint.js';
import { jsonTextOf } from '../../../wire/json.js';

/**
 * `{"versions":["v1.1",…],"unstable_features":{name:true}}`
 * @see Client-Server API v1.19, `GET /versions`; MSC4186 and MSC4538 for the features
 */
export const versions = open('GET', ['/_matrix/client/versions'], async () => VERSIONS);

/**
 * `{"m.homeserver":{"base_url":"http://…"}}`: the URL that the client came by, for it may know this machine by
 * another name than we do.
 * @see Client-Server API v1.19, "Well-known URIs"
 */
export const wellKnown = open('GET', ['/.well-known/matrix/client'], async (home, { host }) => {
  const base_url = host !== undefined && AUTHORITY.test(host) ? `http://${host}` : home.baseUrl;
  return jsonTextOf({ 'm.homeserver': { base_url } });
});

const VERSIONS = jsonTextOf({
  versions: Array.from({ length: 13 }, (_, minor) => `v1.${minor + 1}`),
  unstable_features: { 'org.matrix.simplified_msc3575': true, 'org.matrix.msc4538': true },
});
const AUTHORITY = /^[A-Za-z0-9.\-[\]:]+$/;
