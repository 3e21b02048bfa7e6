/** JSON pointers: the path to a value inside a JSON document (RFC 6901). */
import { member, type JsonNode } from './json.js';

declare const pointerBrand: unique symbol;
/** The keys on the way to a value, unescaped; made by `parseJsonPointer`. Empty for the whole document. */
export type JsonPointer = readonly string[] & { readonly [pointerBrand]: true };

/**
 * Reads a pointer: `""`, or keys each after a `/`, with `~1` for `/` and `~0` for `~`. Undefined when `text` is
 * none (RFC 6901, sections 3 and 4).
 */
export function parseJsonPointer(text: string): JsonPointer | undefined {
  if ((text !== '' && !text.startsWith('/')) || /~(?![01])/.test(text)) return undefined;
  const keys = text.split('/').slice(1);
  return keys.map((key) =>
    key.replaceAll('~1', '/').replaceAll('~0', '~'),
  ) as readonly string[] as JsonPointer;
}

/**
 * The value that the pointer leads to, or undefined where there is none. Of two members with the same key the
 * last counts, as for every reader of JSON; `-`, the place after the end of an array, leads nowhere.
 */
export function resolveJsonPointer(document: JsonNode, pointer: JsonPointer): JsonNode | undefined {
  let node: JsonNode | undefined = document;
  for (const key of pointer) {
    if (node?.kind === 'array') node = /^(?:0|[1-9]\d*)$/.test(key) ? node.items[Number(key)] : undefined;
    else node = member(node, key);
  }
  return node;
}
