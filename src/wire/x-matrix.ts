/**
 * The `Authorization: X-Matrix` header of the federation API, and the text that it signs.
 *
 * @see Server-Server API v1.19, "Request Authentication"
 */
import { canonicalJson } from './canonical-json.js';
import type { JsonMember, JsonNode, JsonText } from './json.js';

/** What the header says; nothing of it is checked yet. */
export interface XMatrix {
  /** Who sends; not yet believed, nor known to be a server name. */
  readonly origin: string;
  /** Whom it is for; older servers leave it out (v1.3 made it a must). */
  readonly destination: string | undefined;
  /** `ed25519:<version>`. */
  readonly keyId: string;
  /** Unpadded base64. */
  readonly signature: string;
}

/** What a request's signature covers. */
export interface SignedRequest {
  readonly method: string;
  /** The request target as it goes over the wire: path from `/_matrix` and query, percent-encoding untouched. */
  readonly uri: string;
  readonly origin: string;
  readonly destination: string;
  /** The body as parsed; left out, not null, when there is none. */
  readonly content: JsonNode | undefined;
}

/**
 * Canonical JSON of `{method, uri, origin, destination, content?}`.
 * @throws CanonicalJsonError when the content has no canonical form
 */
export function requestSigningText(request: SignedRequest): JsonText {
  const members: JsonMember[] = (['method', 'uri', 'origin', 'destination'] as const).map((key) => ({
    key,
    value: { kind: 'string', value: request[key] },
  }));
  if (request.content !== undefined) members.push({ key: 'content', value: request.content });
  return canonicalJson({ kind: 'object', members });
}

/** Writes the header's value: every value quoted, no spaces round commas, `sig` as all implementations name it. */
export function encodeXMatrix(header: XMatrix & { readonly destination: string }): string {
  const { origin, destination, keyId, signature } = header;
  return `X-Matrix origin="${origin}",destination="${destination}",key="${keyId}",sig="${signature}"`;
}

/**
 * Reads the header's value, or gives undefined when it is none: another scheme, a missing or repeated
 * parameter, a list that does not parse (RFC 9110 section 11.4). Names are case-insensitive and in any order,
 * unknown ones are ignored; an unquoted value may hold colons, which older servers left bare.
 */
export function parseXMatrix(value: string): XMatrix | undefined {
  const scheme = /^x-matrix +/i.exec(value);
  if (scheme === null) return undefined;
  const parameters = new Map<string, string>();
  let offset = scheme[0].length;
  while (offset < value.length) {
    PARAMETER.lastIndex = offset;
    const match = PARAMETER.exec(value);
    if (match === null) return undefined;
    offset = PARAMETER.lastIndex;
    const [, rawName = '', quoted, bare] = match;
    if (rawName === '') continue; // an empty element of the list
    const name = rawName.toLowerCase();
    if (parameters.has(name)) return undefined;
    parameters.set(name, bare ?? (quoted ?? '').replace(/\\(.)/g, '$1'));
  }
  return assemble(parameters);
}

function assemble(parameters: ReadonlyMap<string, string>): XMatrix | undefined {
  const origin = parameters.get('origin');
  const keyId = parameters.get('key');
  const signature = parameters.get('sig');
  // the specification's list says `signature`, its examples and every implementation `sig`: both only if equal
  const alias = parameters.get('signature');
  if (!origin || !keyId || !signature || (alias !== undefined && alias !== signature)) return undefined;
  return { origin, destination: parameters.get('destination'), keyId, signature };
}

/**
 * `name = ( token / quoted-string )` up to its comma or the end, or just a comma; blanks round all of it. No two
 * parts next to each other can take the same character, so that a hostile header costs no more than its length.
 */
const PARAMETER =
  /[ \t]*(?:([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))[ \t]*)?(?:,|$)/y;
