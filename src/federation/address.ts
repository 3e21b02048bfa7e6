/**
 * Which IP addresses a server's name may lead to.
 *
 * Whoever can put a name before us chooses where we connect to: a name that came from outside must never lead
 * into this machine or the network around it. The check is made on the address that is then connected to.
 *
 * @see RFC 6890 and the IANA special-purpose address registries
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** `reserved` is every address that is neither loopback nor of the public internet, and what is no address. */
export type AddressKind = 'public' | 'loopback' | 'reserved';

/** How far connections may reach: to public addresses, to these and loopback, or to all. */
export type Reach = 'public' | 'loopback' | 'any';

/** The kind of an address, which is an IPv4 address in dotted decimals or an IPv6 address without brackets. */
export function addressKind(address: string): AddressKind {
  if (isIPv4(address)) return ipv4Kind(address);
  // a zone index is for link-local addresses only
  if (!isIPv6(address) || address.includes('%')) return 'reserved';
  if (LOOPBACK_IPV6.check(address, 'ipv6')) return 'loopback';
  const groups = groupsOf(address);
  if (embedsIpv4(groups)) return ipv4Kind(ipv4Of(groups));
  return PUBLIC_IPV6.check(address, 'ipv6') && !RESERVED_IPV6.check(address, 'ipv6') ? 'public' : 'reserved';
}

/** May a connection to `address` be made? */
export function isWithinReach(address: string, reach: Reach): boolean {
  if (reach === 'any') return true;
  const kind = addressKind(address);
  return kind === 'public' || (kind === 'loopback' && reach === 'loopback');
}

function ipv4Kind(address: string): AddressKind {
  if (LOOPBACK_IPV4.check(address, 'ipv4')) return 'loopback';
  return RESERVED_IPV4.check(address, 'ipv4') ? 'reserved' : 'public';
}

/** Mapped addresses (RFC 4291 section 2.5.5.2) and NAT64 (RFC 6052 section 2.1) lead to the IPv4 address in them. */
function embedsIpv4(groups: readonly number[]): boolean {
  const prefix = groups.slice(0, 6).join(' ');
  return prefix === `0 0 0 0 0 ${0xffff}` || prefix === `${0x64} ${0xff9b} 0 0 0 0`;
}

function ipv4Of(groups: readonly number[]): string {
  return groups
    .slice(-2)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join('.');
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [left = [], right] = address.split('::').map(groupsIn);
  if (right === undefined) return left;
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function groupsIn(side: string): number[] {
  if (side === '') return [];
  return side.split(':').flatMap((part) => {
    if (!part.includes('.')) return [parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

function blockList(family: 'ipv4' | 'ipv6', subnets: Readonly<Record<string, number>>): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of Object.entries(subnets)) list.addSubnet(network, prefix, family);
  return list;
}

const LOOPBACK_IPV4 = blockList('ipv4', { '127.0.0.0': 8 });
const LOOPBACK_IPV6 = blockList('ipv6', { '::1': 128 });

const RESERVED_IPV4 = blockList('ipv4', {
  '0.0.0.0': 8, // this network
  '10.0.0.0': 8, // private
  '100.64.0.0': 10, // shared by customers of a carrier
  '169.254.0.0': 16, // link-local
  '172.16.0.0': 12, // private
  '192.0.0.0': 24, // protocol assignments
  '192.0.2.0': 24, // documentation
  '192.88.99.0': 24, // relays of 6to4
  '192.168.0.0': 16, // private
  '198.18.0.0': 15, // benchmarks
  '198.51.100.0': 24, // documentation
  '203.0.113.0': 24, // documentation
  '224.0.0.0': 4, // multicast
  '240.0.0.0': 4, // reserved, and broadcast
});

/** Everything else (unspecified, unique-local, link-local, multicast, …) is outside of what was ever given out. */
const PUBLIC_IPV6 = blockList('ipv6', { '2000::': 3 });

const RESERVED_IPV6 = blockList('ipv6', {
  '2001::': 23, // protocol assignments, Teredo among them
  '2001:db8::': 32, // documentation
  '2002::': 16, // 6to4: holds an IPv4 address that may be anything
  '3fff::': 20, // documentation
});
