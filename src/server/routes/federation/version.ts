/** `GET /_matrix/federation/v1/version` */
import { VERSION } from '../../../version.js';
import { jsonTextOf } from '../../../wire/json.js';
import { open } from '../../endpoint.js';

/** `{"server":{"name":"mx2s","version"}}`. @see Server-Server API v1.19, "Server implementation" */
export const version = open<unknown>('GET', ['/_matrix/federation/v1/version'], async () => ANSWER);

const ANSWER = jsonTextOf({ server: { name: 'mx2s', version: VERSION } });
