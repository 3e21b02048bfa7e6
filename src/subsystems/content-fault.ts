/** Looking at content member by member, and saying what is wrong with it. */
import { member, type JsonNode, type JsonObject } from '../wire/json.js';

/** The first thing that is wrong, and where: `content.commit_info.welcome: not base64`. */
export class ContentFault extends Error {
  constructor(path: string, reason: string) {
    super(`${path}: ${reason}`);
  }
}

/**
 * The string at `key` of the object at `path`.
 * @throws ContentFault when it is missing, no string, or empty
 */
export function stringAt(object: JsonNode, key: string, path: string): string {
  const text = optionalStringAt(object, key, path);
  if (text === undefined) throw new ContentFault(`${path}.${key}`, 'missing');
  return text;
}

/** The same for a string that need not be there. @throws ContentFault when it is no string, or empty */
export function optionalStringAt(object: JsonNode, key: string, path: string): string | undefined {
  const value = member(object, key);
  if (value === undefined) return undefined;
  if (value.kind !== 'string') throw new ContentFault(`${path}.${key}`, 'not a string');
  if (value.value === '') throw new ContentFault(`${path}.${key}`, 'empty');
  return value.value;
}

/** An object that need not be there. @throws ContentFault when it is none */
export function optionalObjectAt(object: JsonNode, key: string, path: string): JsonObject | undefined {
  const value = member(object, key);
  if (value === undefined || value.kind === 'object') return value;
  throw new ContentFault(`${path}.${key}`, 'not an object');
}
