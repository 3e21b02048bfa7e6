/**
 * Does `hostname` name this machine by its form alone? No look-up is made.
 *
 * 127.0.0.0/8 and ::1 (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3), `localhost` and names below it
 * (RFC 6761 section 6.3). Takes what `URL.hostname` gives: lower case, IPv6 in brackets.
 */
export function isLoopbackHost(hostname: string): boolean {
  return (
    /^127(?:\.\d{1,3}){3}$/.test(hostname) ||
    /^\[::(?:1|ffff:7f[0-9a-f]{2}:[0-9a-f]{1,4})\]$/.test(hostname) ||
    /(?:^|\.)localhost\.?$/.test(hostname)
  );
}
