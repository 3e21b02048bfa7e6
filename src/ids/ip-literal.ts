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
  const sides = text.split('::');
  if (sides.length > 2) return false;
  const last = sides.length - 1;
  const counts = sides.map((side, index) => countGroups(side, index === last));
  const groups = counts.reduce((sum, count) => sum + count, 0);
  return sides.length === 2 ? groups <= 7 : groups === 8;
}

/** How many groups of 16 bits `side` holds; NaN, which fails every comparison, if it is not made of groups. */
function countGroups(side: string, mayEndInIpv4: boolean): number {
  if (side === '') return 0;
  const groups = side.split(':');
  const tail = groups.at(-1) ?? '';
  const ipv4 = mayEndInIpv4 && isIpv4Shape(tail) && isOctets(tail);
  const hex = ipv4 ? groups.slice(0, -1) : groups;
  return hex.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)) ? hex.length + (ipv4 ? 2 : 0) : NaN;
}
