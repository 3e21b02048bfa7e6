/**
 * Makes text safe to show: what a server sent must never move a cursor, hide itself or change its order.
 *
 * C0, DEL, C1, bidirectional controls, zero-width characters and line separators become `\uXXXX` (lower
 * case). Control characters are legal in historical user IDs (Matrix v1.19, Appendices, "Historical User
 * IDs"), so this is no theory. Applied to JSON text it gives JSON that means the same: outside strings JSON
 * has none of these but line ends, which `escapeJson` leaves alone by not being given any.
 */
export function escapeText(text: string): string {
  return UNSAFE.test(text) ? text.replace(ALL_UNSAFE, escapeCharacter) : text;
}

function escapeCharacter(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

// U+061C, U+200E, U+200F, U+202A-U+202E, U+2066-U+2069 set direction; U+200B-U+200F, U+2060-U+2064 and U+FEFF have
// no width; U+2028 and U+2029 end lines; lone surrogates cannot be written as UTF-8.
const UNSAFE_CLASS =
  '[\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]' +
  '|[\\ud800-\\udbff](?![\\udc00-\\udfff])|(?<![\\ud800-\\udbff])[\\udc00-\\udfff]';
const UNSAFE = new RegExp(UNSAFE_CLASS);
const ALL_UNSAFE = new RegExp(UNSAFE_CLASS, 'g');
