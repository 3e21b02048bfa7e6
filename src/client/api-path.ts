import { InvalidInputError } from '../errors.js';

/**
 * Builds a path below `/_matrix/client` with every value percent-encoded as one segment:
 * `` apiPath`/v3/sendToDevice/${type}/${txnId}` ``.
 *
 * `encodeURIComponent` leaves `!'()*` alone; they are encoded too, so that the path is the same wherever it is
 * logged, signed or pasted into a shell (RFC 3986 section 2.2).
 *
 * @throws InvalidInputError for a value that no path can carry: `.` and `..`, which URLs resolve away, and
 *   lone surrogates
 */
export function apiPath(parts: TemplateStringsArray, ...values: readonly string[]): string {
  return parts.reduce((path, part, index) => path + encodeSegment(values[index - 1] ?? '') + part);
}

function encodeSegment(value: string): string {
  if (value === '.' || value === '..' || !value.isWellFormed()) {
    throw new InvalidInputError(`${JSON.stringify(value)} cannot stand in the path of a URL`, {
      hint: 'choose another event type or transaction ID',
      reason: 'path_segment',
    });
  }
  if (PLAIN.test(value)) return value;
  return encodeURIComponent(value).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What needs no encoding, as nearly every type and transaction ID (RFC 3986 section 2.3, without a surrogate in it). */
const PLAIN = /^[\w.~-]*$/;
