/**
 * User IDs: `@localpart:server_name` (Matrix v1.19, Appendices, "User Identifiers" and "Historical User IDs";
 * MSC4246, "Proposal").
 *
 * The localpart ends at the first colon, for it can hold none; the server name may hold more of them.
 */
import { serverNameFault, serverNameWarnings, type ServerName } from './server-name.js';
import { invalidId, refused, type Grade, type Grammar, type IdVerdict } from './verdict.js';

declare const userIdBrand: unique symbol;
/** A user ID that the grammar named at `parseUserId` accepts. */
export type UserId = string & { readonly [userIdBrand]: true };

/**
 * The user ID that `text` is, by the grammar given.
 *
 * @throws InvalidInputError whose `reason` is the code.
 */
export function parseUserId(text: string, grammar: Grammar = 'msc4246'): UserId {
  const grade = gradeUserId(text).grammars[grammar];
  if (!grade.valid) throw invalidId('user ID', text, grade.code);
  return text as UserId;
}

/**
 * Grades `text` as a user ID by every grammar. Never throws, whatever the string holds.
 *
 * The first fault found names the code, in the order sigil, colon, length, server name, localpart.
 */
export function gradeUserId(text: string): IdVerdict {
  if (!text.startsWith('@')) return refused('E_SIGIL');
  const colon = text.indexOf(':');
  if (colon === -1) return refused('E_NO_COLON');

  const localpart = text.slice(1, colon);
  const serverName = text.slice(colon + 1);
  const fault = isTooLong(text) ? 'E_TOO_LONG' : serverNameFault(serverName);
  if (fault !== undefined) return refused(fault, { localpart, serverName });

  const strict = gradeStrict(localpart);
  const isServer = localpart === '';
  return {
    isServer,
    localpart,
    serverName,
    warnings: serverNameWarnings(serverName),
    grammars: {
      strict,
      historical: gradeHistorical(localpart),
      msc4246: isServer ? { valid: true } : strict,
    },
  };
}

/** The part between `@` and the first colon; `""` for a server user. */
export function localpartOf(id: UserId): string {
  return id.slice(1, id.indexOf(':'));
}

/** The server name after the first colon. */
export function serverNameOf(id: UserId): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName;
}

/** Does `id` stand for a server itself (MSC4246, "Proposal": the empty localpart)? */
export function isServerUser(id: UserId): boolean {
  return id.startsWith('@:');
}

/**
 * The user ID of the server `name` itself, `@:name` (MSC4246, "Proposal").
 *
 * @throws InvalidInputError with `reason` `E_TOO_LONG`: a server name may be longer than a user ID can hold.
 */
export function serverUserOf(name: ServerName): UserId {
  return parseUserId(`@:${name}`);
}

/** "User Identifiers": `1*user_id_char`. */
function gradeStrict(localpart: string): Grade {
  if (localpart === '') return { valid: false, code: 'E_LOCALPART_EMPTY' };
  return /^[a-z0-9._=\-/+]+$/.test(localpart) ? { valid: true } : { valid: false, code: 'E_LOCALPART_CHAR' };
}

/**
 * "Historical User IDs": any code points but surrogates, `:` and NUL, even none; those that are empty or leave
 * U+0021 to U+007E are non-compliant.
 */
function gradeHistorical(localpart: string): Grade {
  const barred = /[\0\p{Surrogate}]/u.exec(localpart)?.[0];
  if (barred !== undefined)
    return { valid: false, code: barred === '\0' ? 'E_LOCALPART_CHAR' : 'E_SURROGATE' };
  return { valid: true, compliant: /^[!-~]+$/.test(localpart) };
}

/** The limit counts bytes of UTF-8, sigil and server name included ("User Identifiers"). */
function isTooLong(text: string): boolean {
  if (text.length > MAX_ID_BYTES) return true;
  if (text.length * MAX_BYTES_PER_CODE_UNIT <= MAX_ID_BYTES) return false;
  let bytes = 0;
  for (const character of text) bytes += utf8Bytes(character.codePointAt(0) ?? 0);
  return bytes > MAX_ID_BYTES;
}

function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x1_0000 ? 3 : 4;
}

/** Of a whole user ID, in UTF-8 ("User Identifiers"). */
export const MAX_ID_BYTES = 255;
const MAX_BYTES_PER_CODE_UNIT = 3;
