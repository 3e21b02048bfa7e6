/**
 * What of a JSON object is signed, and where its signatures stand. Pure: the Ed25519 itself is done by whoever
 * holds a key.
 *
 * @see Matrix v1.19, Appendices, "Signing JSON"
 */
import { canonicalJson } from './canonical-json.js';
import { member, type JsonNode, type JsonObject, type JsonText } from './json.js';

/** One signature on an object. */
export interface JsonSignature {
  /** Who signed: a server name. */
  readonly entity: string;
  /** `ed25519:<version>`, or of an algorithm that we do not know. */
  readonly keyId: string;
  /** Unpadded base64, as it stands in the object; not checked. */
  readonly signature: string;
}

/**
 * The text that is signed: canonical JSON of the object without `signatures` and `unsigned`.
 * @throws CanonicalJsonError when it has no canonical form
 */
export function signedText(object: JsonObject): JsonText {
  return canonicalJson({
    kind: 'object',
    members: object.members.filter(({ key }) => key !== 'signatures' && key !== 'unsigned'),
  });
}

/** The signatures on an object, in its order. What has not the shape of one is left out. */
export function signaturesOf(object: JsonNode): readonly JsonSignature[] {
  const signatures = member(object, 'signatures');
  if (signatures?.kind !== 'object') return [];
  return signatures.members.flatMap(({ key: entity, value }) =>
    value.kind !== 'object'
      ? []
      : value.members.flatMap(({ key: keyId, value: signature }) =>
          signature.kind === 'string' ? [{ entity, keyId, signature: signature.value }] : [],
        ),
  );
}

/** The object with a signature added to those it has. */
export function withSignature(object: JsonObject, added: JsonSignature): JsonObject {
  const byEntity = new Map<string, Map<string, string>>();
  for (const { entity, keyId, signature } of [...signaturesOf(object), added]) {
    const keys = byEntity.get(entity) ?? new Map<string, string>();
    byEntity.set(entity, keys.set(keyId, signature));
  }
  const signatures: JsonNode = {
    kind: 'object',
    members: [...byEntity].map(([entity, keys]) => ({
      key: entity,
      value: {
        kind: 'object',
        members: [...keys].map(([keyId, signature]) => ({
          key: keyId,
          value: { kind: 'string', value: signature },
        })),
      },
    })),
  };
  const others = object.members.filter(({ key }) => key !== 'signatures');
  return { kind: 'object', members: [...others, { key: 'signatures', value: signatures }] };
}
