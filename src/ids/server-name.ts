/**
 * Server names: `hostname [ ":" port ]` (Matrix v1.19, Appendices, "Server Name").
 *
 * The name is read as it is written. It never goes through a URL or address parser, which would lower-case,
 * decode or rewrite it: server names are compared case-sensitively and a leading zero is not octal.
 */
import { isIpv4Shape, isIpv6, isOctets } from './ip-literal.js';
import { invalidId, refused, type IdCode, type IdVerdict, type IdWarning } from './verdict.js';

declare const serverNameBrand: unique symbol;
/** A valid server name, made by `parseServerName`. */
export type ServerName = string & { readonly [serverNameBrand]: true };

/**
 * The server name that `text` is.
 *
 * @throws InvalidInputError whose `reason` is the code.
 * @see Matrix v1.19, Appendices, "Server Name"
 */
export function parseServerName(text: string): ServerName {
  const code = serverNameFault(text);
  if (code !== undefined) throw invalidId('server name', text, code);
  return text as ServerName;
}

/** Grades `text` as a server name; all grammars agree. Never throws. */
export function gradeServerName(text: string): IdVerdict {
  const code = serverNameFault(text);
  if (code !== undefined) return refused(code, { serverName: text });
  const grade = { valid: true } as const;
  return {
    isServer: true,
    localpart: undefined,
    serverName: text,
    warnings: serverNameWarnings(text),
    grammars: { strict: grade, historical: grade, msc4246: grade },
  };
}

/** Why `text` is no server name: the host is looked at first, then the port. Undefined if it is one. */
export function serverNameFault(text: string): IdCode | undefined {
  const end = hostEnd(text);
  return hostFault(text.slice(0, end)) ?? portFault(text.slice(end));
}

/** What is advised against in a valid server name ("Server Name": host-name rules, lower case, 230 characters). */
export function serverNameWarnings(name: string): readonly IdWarning[] {
  const warnings: IdWarning[] = [];
  const host = name.slice(0, hostEnd(name));
  if (!host.startsWith('[') && host.split('.').some(isOddLabel)) warnings.push('W_DNS_LABEL');
  if (/[A-Z]/.test(name)) warnings.push('W_UPPERCASE');
  if (name.length > ADVISED_NAME_CHARACTERS) warnings.push('W_LONG_SERVER');
  return warnings;
}

/** Where the host ends: after the bracket that closes an IPv6 literal, else before the first colon. */
function hostEnd(text: string): number {
  const mark = text.indexOf(text.startsWith('[') ? ']' : ':');
  if (mark === -1) return text.length;
  return text.startsWith('[') ? mark + 1 : mark;
}

function hostFault(host: string): IdCode | undefined {
  if (host === '') return 'E_SERVER_EMPTY';
  if (host.startsWith('[')) return host.endsWith(']') && isIpv6(host.slice(1, -1)) ? undefined : 'E_IPV6';
  if (!/^[0-9A-Za-z.-]+$/.test(host)) return 'E_SERVER_CHAR';
  if (host.length > MAX_DNS_CHARACTERS) return 'E_TOO_LONG';
  return isIpv4Shape(host) && !isOctets(host) ? 'E_IPV4_RANGE' : undefined;
}

/** The ABNF allows five digits of any value; no TCP port is above 65535. */
function portFault(rest: string): IdCode | undefined {
  if (rest === '') return undefined;
  return /^:[0-9]{1,5}$/.test(rest) && Number(rest.slice(1)) <= MAX_PORT ? undefined : 'E_PORT';
}

/** RFC 1123 section 2.1 and RFC 1035 section 2.3.4. */
function isOddLabel(label: string): boolean {
  return label === '' || label.length > MAX_LABEL_CHARACTERS || label.startsWith('-') || label.endsWith('-');
}

const MAX_DNS_CHARACTERS = 255;
const ADVISED_NAME_CHARACTERS = 230;
/** RFC 1035 section 2.3.4. */
export const MAX_LABEL_CHARACTERS = 63;
/** The ABNF allows five digits of any value, but no TCP port is above that. */
export const MAX_PORT = 65_535;
