/**
 * The signed object with which a server publishes its keys.
 *
 * @see Server-Server API v1.19, "Retrieving server keys", "Publishing Keys"
 */
import type { ServerName } from '../ids/server-name.js';
import { CanonicalJsonError } from '../wire/canonical-json.js';
import { member, stringMember, type JsonNode, type JsonObject } from '../wire/json.js';
import { signaturesOf, signedText, withSignature } from '../wire/signed-json.js';
import { KEY_ID, parsePublicKey, type PublicKey, type SigningKey, type SigningKeys } from './signing-key.js';

/** A server that signs: its name, and its keys, the one in use first. */
export interface Identity {
  readonly serverName: ServerName;
  readonly keys: SigningKeys;
}

/** Another server's keys, verified. */
export interface ServerKeys {
  /** By key ID, `ed25519:<version>`. Keys no longer in use are not here: they verify no request. */
  readonly verifyKeys: ReadonlyMap<string, PublicKey>;
  /** When we got them. */
  readonly fetchedMs: number;
  /** What the server says; see `usableUntilMs`. */
  readonly validUntilMs: number;
  /** The object as it came, for those who ask us as a notary. */
  readonly object: JsonObject;
}

/** Why there are no keys. */
export interface KeyFault {
  /** A clause fit for anybody, lower case, no full stop. */
  readonly fault: string;
  /** What only the operator should see. */
  readonly cause?: unknown;
}

/**
 * Reads and verifies the answer of `/_matrix/key/v2/server`, got from `serverName` at `fetchedMs`.
 *
 * It has to name that server; at least one of the keys it lists has to have signed it, and none badly. Keys of
 * other algorithms are left out. Never throws.
 */
export async function verifyServerKeys(
  node: JsonNode,
  serverName: ServerName,
  fetchedMs: number,
): Promise<ServerKeys | KeyFault> {
  if (node.kind !== 'object') return { fault: 'the keys are no JSON object' };
  if (stringMember(node, 'server_name') !== serverName) return { fault: 'the keys are of another server' };
  const validUntil = member(node, 'valid_until_ts');
  const validUntilMs = validUntil?.kind === 'number' ? Number(validUntil.text) : NaN;
  if (!Number.isSafeInteger(validUntilMs)) return { fault: 'valid_until_ts is missing or no integer' };
  const listed = listedKeys(node);
  if ('fault' in listed) return listed;

  const signatureFault = await findSignatureFault(node, serverName, listed.keys);
  if (signatureFault !== undefined) return signatureFault;
  const verifyKeys = new Map<string, PublicKey>();
  for (const [keyId, key] of listed.keys) if (key !== undefined) verifyKeys.set(keyId, key);
  return { verifyKeys, fetchedMs, validUntilMs, object: node };
}

/** When keys can no longer verify requests: when the server says, but 7 days after we got them at the latest. */
export function usableUntilMs({ fetchedMs, validUntilMs }: ServerKeys): number {
  return Math.min(validUntilMs, fetchedMs + MAX_VALIDITY_MS);
}

/** Our own key object, good for 24 hours from `nowMs`, signed with every key in it. */
export function publishedKeys({ serverName, keys }: Identity, nowMs: number): JsonObject {
  const object: JsonObject = {
    kind: 'object',
    members: [
      { key: 'server_name', value: { kind: 'string', value: serverName } },
      { key: 'valid_until_ts', value: { kind: 'number', text: String(nowMs + PUBLISHED_VALIDITY_MS) } },
      {
        key: 'verify_keys',
        value: { kind: 'object', members: keys.map((key) => ({ key: key.keyId, value: keyNode(key) })) },
      },
      { key: 'old_verify_keys', value: { kind: 'object', members: [] } },
    ],
  };
  return keys.reduce((signed, key) => signedBy(signed, serverName, key), object);
}

/**
 * The object with a signature of `serverName` added.
 * @throws CanonicalJsonError when it has no canonical form
 */
export function signedBy(object: JsonObject, serverName: ServerName, key: SigningKey): JsonObject {
  const signature = key.sign(signedText(object));
  return withSignature(object, { entity: serverName, keyId: key.keyId, signature });
}

/** The Ed25519 keys listed; undefined in place of one that is none. */
function listedKeys(object: JsonObject): { keys: ReadonlyMap<string, PublicKey | undefined> } | KeyFault {
  const listed = member(object, 'verify_keys');
  if (listed?.kind !== 'object') return { fault: 'verify_keys is missing or no object' };
  if (listed.members.length > MAX_KEYS) return { fault: `more than ${String(MAX_KEYS)} keys are listed` };
  const keys = listed.members
    .filter(({ key: keyId }) => KEY_ID.test(keyId))
    .map(({ key: keyId, value }) => [keyId, parsePublicKey(stringMember(value, 'key') ?? '')] as const);
  return { keys: new Map(keys) };
}

async function findSignatureFault(
  object: JsonObject,
  serverName: ServerName,
  keys: ReadonlyMap<string, PublicKey | undefined>,
): Promise<KeyFault | undefined> {
  let text: string;
  try {
    text = signedText(object);
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error;
    return { fault: `the keys have no canonical form: ${error.message}` };
  }
  const own = signaturesOf(object).filter(({ entity, keyId }) => entity === serverName && keys.has(keyId));
  if (own.length === 0) return { fault: 'no key that is listed has signed' };
  for (const { keyId, signature } of own) {
    const isGood = await keys.get(keyId)?.verify(text, signature);
    if (isGood !== true) return { fault: `the signature of ${keyId} is bad` };
  }
  return undefined;
}

function keyNode({ publicKey }: SigningKey): JsonObject {
  return { kind: 'object', members: [{ key: 'key', value: { kind: 'string', value: publicKey } }] };
}

const HOUR_MS = 3_600_000;
const MAX_VALIDITY_MS = 7 * 24 * HOUR_MS;
const PUBLISHED_VALIDITY_MS = 24 * HOUR_MS;
/** More would only cost us time. */
const MAX_KEYS = 100;
