/** IP addresses as they stand in server names (Matrix v1.19, Appendices, "Server Name"). */

/** Four groups of one to three digits, of any value: what the text calls an IPv4 literal. */
export function isIpv4Shape(host: string): boolean {
  return /^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$/.test(host);
}

/** Are the dotted numbers at most 255? Leading zeros mean nothing: `01` is one, and not octal. */
export function isOctets(dotted: string): boolean {
  return dotted.split('.').every((octet) => Number(octet) <= 255);
}

/**
 * An IPv6 address in the text forms of RFC 3513 section 2.2, without brackets: eight groups of one to four
 * hexadecimal digits, one `::` in place of one or more of them, an IPv4 address in place of the last two.
 */
export function isIpv6(text: string): boolean {
  const bytes = ENCODER.encode(text);
  return isIpv6At(bytes, 0, bytes.length);
}

/** Is there an IPv6 address from `start` to `end`? */
export function isIpv6At(bytes: Uint8Array, start: number, end: number): boolean {
  let groups = 0;
  let hasGap = false;
  let at = start;
  while (at < end) {
    if (at + 1 < end && bytes[at] === COLON && bytes[at + 1] === COLON) {
      if (hasGap) return false;
      hasGap = true;
      at += 2;
      if (at === end) break;
    } else if (groups > 0) {
      if (bytes[at] !== COLON) return false;
      at += 1;
    }
    const groupEnd = skipHex(bytes, at, end);
    if (bytes[groupEnd] === DOT && groupEnd < end) {
      return hasSixteenBytes(groups + 2, hasGap) && isIpv4(bytes.subarray(at, end));
    }
    if (groupEnd === at || groupEnd - at > 4) return false;
    groups += 1;
    at = groupEnd;
  }
  return hasSixteenBytes(groups, hasGap);
}

/** A gap stands for one group at least. */
function hasSixteenBytes(groups: number, hasGap: boolean): boolean {
  return hasGap ? groups <= 7 : groups === 8;
}

function isIpv4(ascii: Uint8Array): boolean {
  if (ascii.length > MAX_IPV4_BYTES) return false;
  const text = String.fromCharCode(...ascii);
  return isIpv4Shape(text) && isOctets(text);
}

/** The first place from `start` on without a hexadecimal digit. */
function skipHex(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isHexDigit(bytes[at] ?? 0)) at += 1;
  return at;
}

function isHexDigit(byte: number): boolean {
  const lowerCase = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lowerCase >= 0x61 && lowerCase <= 0x66);
}

/** `255.255.255.255` */
const MAX_IPV4_BYTES = 15;
const ENCODER = new TextEncoder();
const COLON = 0x3a;
const DOT = 0x2e;
