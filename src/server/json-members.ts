/** Writing JSON whose values are texts already, so that what clients published goes out as it came. */
import type { JsonText } from '../wire/json.js';

/** An object of the members given, in their order. */
export function encodeMembers(members: Iterable<readonly [string, JsonText]>): JsonText {
  const parts = Array.from(members, ([key, value]) => `${JSON.stringify(key)}:${value}`);
  return `{${parts.join(',')}}` as JsonText;
}

/** An array of the items given. */
export function encodeItems(items: readonly JsonText[]): JsonText {
  return `[${items.join(',')}]` as JsonText;
}
