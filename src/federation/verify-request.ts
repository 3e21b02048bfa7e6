/**
 * Who sent a request? The decision on what came in, before anything is done with it.
 *
 * The checks come in a fixed order, the cheap ones first, and nothing is asked of another server before the request
 * itself makes sense. The specification fixes only the 401 for a wrong destination; the other answers are ours.
 *
 * @see Server-Server API v1.19, "Request Authentication", "Transactions"
 */
import { parseServerName, serverNameFault, type ServerName } from '../ids/server-name.js';
import { CanonicalJsonError } from '../wire/canonical-json.js';
import { JsonSyntaxError, parseJson, type JsonNode } from '../wire/json.js';
import {
  countFault,
  parseTransaction,
  type Transaction,
  type TransactionFault,
} from '../wire/transaction.js';
import { parseXMatrix, requestSigningText, type XMatrix } from '../wire/x-matrix.js';
import type { KeyFault } from './server-keys.js';
import { KEY_ID, type PublicKey } from './signing-key.js';

/** A request as it came. */
export interface IncomingRequest {
  readonly method: string;
  /** The request target, untouched: path and query as they stood in the request line. */
  readonly uri: string;
  /** Every `Authorization` header. */
  readonly authorization: readonly string[];
  /** The body, as UTF-8; undefined or empty when there is none. */
  readonly body: string | undefined;
}

export interface VerifiedRequest {
  /** Who sent it, proved by a signature. */
  readonly origin: ServerName;
  readonly content: JsonNode | undefined;
}

export interface VerifiedTransaction {
  readonly origin: ServerName;
  readonly transaction: Transaction;
}

/** What the request is answered with. */
export interface RequestRefusal {
  readonly status: 400 | 401;
  readonly errcode: 'M_UNAUTHORIZED' | 'M_NOT_JSON' | 'M_BAD_JSON';
  /** Fit for the sender. */
  readonly error: string;
  /** What only the operator should see. */
  readonly cause?: unknown;
}

/** How to come by a key that is good now: `KeyRing.keyFor`. */
export type KeyFor = (serverName: ServerName, keyId: string) => Promise<PublicKey | KeyFault>;

/** Says who sent `request` to us, `serverName`, or how it is to be refused. Never throws. */
export function verifyRequest(
  request: IncomingRequest,
  serverName: ServerName,
  keyFor: KeyFor,
): Promise<VerifiedRequest | RequestRefusal> {
  return verify(request, serverName, keyFor, (content) => ({ content }));
}

/**
 * The same for `PUT /_matrix/federation/v1/send/{txnId}`, whose body has to be a transaction of that sender with no
 * more in it than is allowed. Never throws.
 */
export async function verifyTransaction(
  request: IncomingRequest,
  serverName: ServerName,
  keyFor: KeyFor,
): Promise<VerifiedTransaction | RequestRefusal> {
  const verified = await verify(request, serverName, keyFor, (content) => {
    const transaction: Transaction | TransactionFault =
      content === undefined ? { fault: 'there is no body' } : parseTransaction(content);
    return 'fault' in transaction ? badJson(transaction.fault) : { transaction };
  });
  if ('status' in verified) return verified;
  const { origin, transaction } = verified;
  if (transaction.origin !== origin) return badJson('origin is not the server that signed');
  const tooMany = countFault(transaction);
  return tooMany === undefined ? { origin, transaction } : badJson(tooMany.fault);
}

async function verify<Read extends object>(
  { method, uri, authorization, body }: IncomingRequest,
  serverName: ServerName,
  keyFor: KeyFor,
  read: (content: JsonNode | undefined) => Read | RequestRefusal,
): Promise<({ readonly origin: ServerName } & Read) | RequestRefusal> {
  const claim = claimOf(authorization, serverName);
  if ('status' in claim) return claim;
  const parsed = parseBody(body);
  if ('status' in parsed) return parsed;
  const result = read(parsed.content);
  if ('status' in result) return result;

  const { origin, signatures } = claim;
  const text = signingTextOf({ method, uri, origin, destination: serverName, content: parsed.content });
  if (typeof text !== 'string') return text;
  const refusal = await refuseUnsigned(origin, signatures, text, keyFor);
  return refusal ?? { origin, ...result };
}

/** Who claims to have sent it, by headers that are for us. */
function claimOf(
  authorization: readonly string[],
  serverName: ServerName,
): { readonly origin: ServerName; readonly signatures: readonly XMatrix[] } | RequestRefusal {
  const signatures = authorization.map(parseXMatrix).filter((header) => header !== undefined);
  const [first] = signatures;
  if (first === undefined) return unauthorized('there is no X-Matrix Authorization header that can be read');
  if (signatures.some(({ origin }) => origin !== first.origin)) {
    return unauthorized('the Authorization headers are of different origins');
  }
  // a header without destination is of an older server; its signature names us all the same
  if (signatures.some(({ destination }) => destination !== undefined && destination !== serverName)) {
    return unauthorized(`the destination is not ${serverName}`);
  }
  if (serverNameFault(first.origin) !== undefined) return unauthorized('the origin is no server name');
  const origin = parseServerName(first.origin);
  if (origin === serverName) return unauthorized('the origin is this server itself');
  return { origin, signatures };
}

function parseBody(body: string | undefined): { readonly content: JsonNode | undefined } | RequestRefusal {
  if (body === undefined || body === '') return { content: undefined };
  try {
    return { content: parseJson(body) };
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    const where = `${error.message}, at offset ${String(error.offset)}`;
    return { status: 400, errcode: 'M_NOT_JSON', error: `the body is not JSON: ${where}` };
  }
}

/** What cannot be written canonically cannot have been signed. */
function signingTextOf(request: Parameters<typeof requestSigningText>[0]): string | RequestRefusal {
  try {
    return requestSigningText(request);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    return badJson(error.message);
  }
}

/** One good signature is enough. What is said of the first is the answer if there is none. */
async function refuseUnsigned(
  origin: ServerName,
  signatures: readonly XMatrix[],
  text: string,
  keyFor: KeyFor,
): Promise<RequestRefusal | undefined> {
  let first: RequestRefusal | undefined;
  for (const { keyId, signature } of signatures) {
    const key = KEY_ID.test(keyId) ? await keyFor(origin, keyId) : { fault: `${keyId} is no Ed25519 key` };
    if (!('fault' in key) && (await key.verify(text, signature))) return undefined;
    const { fault, cause }: KeyFault = 'fault' in key ? key : { fault: `the signature of ${keyId} is bad` };
    first ??= unauthorized(fault, cause);
  }
  return first;
}

function unauthorized(error: string, cause?: unknown): RequestRefusal {
  return { status: 401, errcode: 'M_UNAUTHORIZED', error, ...(cause === undefined ? {} : { cause }) };
}

function badJson(error: string): RequestRefusal {
  return { status: 400, errcode: 'M_BAD_JSON', error };
}
