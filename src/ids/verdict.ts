/**
 * What can be said about an identifier, as closed lists: grammars, codes, warnings, and the verdict that
 * carries them.
 *
 * A verdict is a grade for each grammar and not a boolean, because that difference is the subject of MSC4246:
 * `@:example.org` is refused by the grammar of today, accepted by the historical one, and the server itself in
 * the proposal's.
 */
import { InvalidInputError } from '../errors.js';
import { withoutSecrets } from '../typed-text.js';

/**
 * The grammars an identifier is graded by.
 *
 * - `strict`: what may be created today (Matrix v1.19, Appendices, "User Identifiers").
 * - `historical`: what has to be accepted (Appendices, "Historical User IDs", the text since v1.14).
 * - `msc4246`: `strict`, with the empty localpart and the empty device ID for the server itself
 *   (MSC4246, "Proposal", first paragraph).
 */
export type Grammar = 'strict' | 'historical' | 'msc4246';

/** Why an identifier is refused. */
export type IdCode =
  | 'E_SIGIL'
  | 'E_NO_COLON'
  | 'E_TOO_LONG'
  | 'E_SERVER_EMPTY'
  | 'E_SERVER_CHAR'
  | 'E_IPV4_RANGE'
  | 'E_IPV6'
  | 'E_PORT'
  | 'E_LOCALPART_EMPTY'
  | 'E_LOCALPART_CHAR'
  | 'E_SURROGATE'
  | 'E_DEVICE_WILDCARD'
  | 'E_DEVICE_EMPTY'
  | 'E_NOT_SERVER'
  | 'E_UTF8';

/** What is allowed and advised against. */
export type IdWarning = 'W_DNS_LABEL' | 'W_UPPERCASE' | 'W_LONG_SERVER';

/** How one grammar finds an identifier. `compliant` is said of user IDs in the historical grammar only. */
export type Grade =
  { readonly valid: true; readonly compliant?: boolean } | { readonly valid: false; readonly code: IdCode };

/** How every grammar finds an identifier, and what it is made of. */
export interface IdVerdict {
  /** The identifier stands for a server: a server user, the server device, or a valid server name. */
  readonly isServer: boolean;
  /** Between `@` and the first colon, if the identifier has both; it need not be valid. */
  readonly localpart: string | undefined;
  /** After the first colon, or the whole of a server name; it need not be valid. */
  readonly serverName: string | undefined;
  readonly warnings: readonly IdWarning[];
  readonly grammars: Readonly<Record<Grammar, Grade>>;
}

/**
 * Why an identifier is refused when it is judged by one grammar, and also has to stand for a server if so asked;
 * undefined if it is accepted.
 */
export function codeFor(verdict: IdVerdict, grammar: Grammar, mustBeServer: boolean): IdCode | undefined {
  const grade = verdict.grammars[grammar];
  if (!grade.valid) return grade.code;
  return mustBeServer && !verdict.isServer ? 'E_NOT_SERVER' : undefined;
}

/** A verdict by which no grammar accepts the identifier, for the one reason given. */
export function refused(
  code: IdCode,
  parts: { localpart?: string | undefined; serverName?: string | undefined } = {},
): IdVerdict {
  const grade: Grade = { valid: false, code };
  return {
    isServer: false,
    localpart: parts.localpart,
    serverName: parts.serverName,
    warnings: [],
    grammars: { strict: grade, historical: grade, msc4246: grade },
  };
}

/** The error that a parser throws for `text`; it is quoted, without what may be a password, and cut where it is too long. */
export function invalidId(kind: string, text: string, code: IdCode): InvalidInputError {
  const safe = withoutSecrets(text);
  const shown = safe.length > MAX_SHOWN ? `${safe.slice(0, MAX_SHOWN)}…` : safe;
  return new InvalidInputError(`${JSON.stringify(shown)} is not a valid ${kind}: ${ID_REASONS[code]}`, {
    reason: code,
  });
}

const MAX_SHOWN = 80;

/** Each code in words: a clause about the identifier, lower case, no full stop. */
export const ID_REASONS = {
  E_SIGIL: 'a user ID starts with "@"',
  E_NO_COLON: 'there is no ":" between localpart and server name',
  E_TOO_LONG: 'it is longer than 255 bytes',
  E_SERVER_EMPTY: 'the server name is empty',
  E_SERVER_CHAR: 'the server name has a character other than letters, digits, "-" and "."',
  E_IPV4_RANGE: 'the server name is an IPv4 address with a number above 255',
  E_IPV6: 'the server name is not an IPv6 address in brackets',
  E_PORT: 'what follows the host is not ":" and a port from 0 to 65535',
  E_LOCALPART_EMPTY: 'the localpart is empty',
  E_LOCALPART_CHAR: 'the localpart has a character that this grammar does not allow',
  E_SURROGATE: 'it has half of a surrogate pair',
  E_DEVICE_WILDCARD: '"*" means all devices and is no device ID',
  E_DEVICE_EMPTY: 'the device ID is empty',
  E_NOT_SERVER: 'it is not a server user: the localpart is not empty',
  E_UTF8: 'it is not UTF-8',
} as const satisfies Record<IdCode, string>;

/** Each warning in words: a clause about the identifier, lower case, no full stop. */
export const ID_WARNINGS = {
  W_DNS_LABEL: 'the server name has a label that DNS does not allow',
  W_UPPERCASE: 'the server name has upper case, and case counts',
  W_LONG_SERVER: 'the server name is longer than the 230 characters advised',
} as const satisfies Record<IdWarning, string>;
