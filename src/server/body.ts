/** Request bodies: from bytes to a JSON object without losing anything, and from there to fields. */
import { isUtf8 } from 'node:buffer';
import type { Readable } from 'node:stream';
import { JsonSyntaxError, member, parseJson, type JsonNode, type JsonObject } from '../wire/json.js';
import { Refusal, badJson, missingParam } from './refusal.js';

/**
 * Reads a body to its end, and keeps it unless it is too long. One that is too long is read all the same: a sender that
 * is still writing when we go away does not hear why. Node ends a request that takes more than 5 minutes.
 *
 * @throws Refusal 413 `M_TOO_LARGE`
 */
export function readBody(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let byteCount = 0;
  // by its events: to iterate over the stream costs more than all the rest of a small request
  return new Promise((resolve, reject) => {
    stream.on('data', (chunk: Buffer) => {
      byteCount += chunk.byteLength;
      if (byteCount <= MAX_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    stream.once('error', reject);
    stream.once('end', () => {
      if (byteCount <= MAX_BYTES) resolve(Buffer.concat(chunks));
      else reject(new Refusal(413, 'M_TOO_LARGE', `the body is longer than ${MAX_BYTES} bytes`));
    });
  });
}

/**
 * Parses a body, whatever its content type says.
 *
 * Keys that stand twice are refused, because readers differ in which they believe.
 *
 * @throws Refusal 400 `M_NOT_JSON`, `M_BAD_JSON`
 */
export function parseBody(bytes: Buffer | undefined): JsonObject {
  const node = parseDocument(bytes ?? Buffer.alloc(0));
  if (node.kind !== 'object') throw badJson('the body is no JSON object');
  refuseRepeatedKeys(node);
  return node;
}

/** A body as the text that a signature covers. What is no UTF-8 is no JSON either, and becomes text that is none. */
export function bodyText(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  return isUtf8(bytes) ? bytes.toString('utf8') : NO_JSON;
}

/**
 * The string at `key`, undefined when there is none.
 * @throws Refusal 400 `M_BAD_JSON` when it is no string
 */
export function stringField(object: JsonNode | undefined, key: string): string | undefined {
  const value = member(object, key);
  if (value === undefined) return undefined;
  if (value.kind !== 'string') throw badJson(`${key} is no string`);
  return value.value;
}

/** @throws Refusal 400 `M_MISSING_PARAM`, `M_BAD_JSON` */
export function requiredStringField(object: JsonNode | undefined, key: string): string {
  const value = stringField(object, key);
  if (value === undefined) throw missingParam(key);
  return value;
}

/**
 * The object at `key`, undefined when there is none.
 * @throws Refusal 400 `M_BAD_JSON` when it is no object
 */
export function objectField(object: JsonNode | undefined, key: string): JsonObject | undefined {
  const value = member(object, key);
  if (value === undefined) return undefined;
  if (value.kind !== 'object') throw badJson(`${key} is no object`);
  return value;
}

/** The boolean at `key`; false when there is none. @throws Refusal 400 `M_BAD_JSON` when it is no boolean */
export function booleanField(object: JsonNode | undefined, key: string): boolean {
  const value = member(object, key);
  if (value === undefined) return false;
  if (value.kind !== 'boolean') throw badJson(`${key} is no boolean`);
  return value.value;
}

function parseDocument(bytes: Buffer): JsonNode {
  if (!isUtf8(bytes)) throw new Refusal(400, 'M_NOT_JSON', 'the body is not UTF-8');
  try {
    return parseJson(bytes.toString('utf8'));
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new Refusal(400, 'M_NOT_JSON', `the body is not JSON: ${error.message}, at offset ${error.offset}`);
  }
}

/** Recursion is bounded: the parser refuses deep nesting. */
function refuseRepeatedKeys(node: JsonNode): void {
  if (node.kind === 'array') node.items.forEach(refuseRepeatedKeys);
  if (node.kind !== 'object') return;
  const { members } = node;
  if (members.length > 1 && new Set(members.map(({ key }) => key)).size < members.length) {
    throw badJson('a key stands twice in one object');
  }
  for (const { value } of members) refuseRepeatedKeys(value);
}

const MAX_BYTES = 8 * 1024 * 1024;
const NO_JSON = '\ufffd';
