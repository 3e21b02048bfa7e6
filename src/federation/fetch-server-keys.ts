/** Asks a server for its keys. */
import { parseFederationAnswer } from './federation-answer.js';
import type { FederationClient } from './federation-client.js';
import type { FetchKeys } from './key-ring.js';

/**
 * A fetch of `/_matrix/key/v2/server`; it needs no signature.
 * @throws (later) NetworkError, MatrixError, MalformedResponseError, RateLimitedError
 */
export function serverKeysFetch(client: FederationClient): FetchKeys {
  return async (serverName, signal) => {
    const request = { method: 'GET', uri: '/_matrix/key/v2/server', maxBodyBytes: MAX_BODY_BYTES } as const;
    return parseFederationAnswer(request.method, await client.send(serverName, request, signal));
  };
}

/** The largest that are seen have some ten kilobytes; a thousand of them are kept. */
const MAX_BODY_BYTES = 64 * 1024;
