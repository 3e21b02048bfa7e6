/**
 * Requests that a server signs.
 *
 * What goes out is what was signed: the body is the canonical JSON of the content. A number such as `1.0` would be
 * another one to the receiver's parser than to ours, and its signature bad.
 *
 * @see Server-Server API v1.19, "Request Authentication"
 */
import type { HttpMethod, HttpResponse } from '../http/request.js';
import type { ServerName } from '../ids/server-name.js';
import { canonicalJson } from '../wire/canonical-json.js';
import type { JsonNode, JsonObject } from '../wire/json.js';
import { encodeXMatrix, requestSigningText } from '../wire/x-matrix.js';
import { parseFederationAnswer } from './federation-answer.js';
import type { FederationClient, FederationRequest } from './federation-client.js';
import type { Identity } from './server-keys.js';

export interface UnsignedRequest {
  readonly method: HttpMethod;
  /** Path from `/_matrix`, percent-encoded, and query. */
  readonly uri: string;
  readonly destination: ServerName;
  readonly content?: JsonNode | undefined;
}

/**
 * Signs a request with the key in use.
 * @throws CanonicalJsonError when the content has no canonical form
 */
export function signRequest(
  { method, uri, destination, content }: UnsignedRequest,
  { serverName: origin, keys: [key] }: Identity,
): FederationRequest {
  if (!isRequestTarget(uri)) throw new Error(`${uri} would not go over the wire as it is signed`);
  const text = requestSigningText({ method, uri, origin, destination, content });
  return {
    method,
    uri,
    authorization: encodeXMatrix({ origin, destination, keyId: key.keyId, signature: key.sign(text) }),
    body: content && canonicalJson(content),
  };
}

/**
 * Signs a request, sends it, and gives the answer with its JSON object.
 *
 * @throws CanonicalJsonError when the content has no canonical form; what `FederationClient.send` throws;
 *   MatrixError for another status than 200, MalformedResponseError when the answer is no JSON object
 */
export async function sendSigned(
  client: FederationClient,
  request: UnsignedRequest,
  identity: Identity,
  signal?: AbortSignal,
): Promise<HttpResponse & { readonly object: JsonObject }> {
  const answer = await client.send(request.destination, signRequest(request, identity), signal);
  return { ...answer, object: parseFederationAnswer(request.method, answer) };
}

/** Is it sent as it stands? URLs rewrite what is not encoded and `..`, and drop what is not sent. */
function isRequestTarget(uri: string): boolean {
  const url = `https://server.invalid${uri}`;
  if (!uri.startsWith('/') || !URL.canParse(url)) return false;
  const { pathname, search } = new URL(url);
  return pathname + search === uri;
}
