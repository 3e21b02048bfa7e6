/**
 * From a server's name to where it can be reached.
 *
 * Signatures always name the server as it is called, before any delegation; nothing here has to do with them.
 *
 * @see Server-Server API v1.19, "Resolving server names"
 */
import { isIPv4 } from 'node:net';
import type { ServerName } from '../ids/server-name.js';
import type { Reach } from './address.js';
import { isFault, lookUpAddresses, type LookUpFault, type Resolver } from './look-up.js';
import { orderSrv } from './srv-order.js';

/** Where a server is, and by which name it is addressed there. */
export interface ServerRoute {
  /** Where to connect, over TLS, in the order to try. */
  readonly endpoints: readonly Endpoint[];
  /** The `Host` header. */
  readonly host: string;
  /** What the certificate has to be made out to: a host name, or an IP address without brackets. */
  readonly certificateName: string;
}

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** The world outside, handed in. */
export interface ResolveTools {
  readonly resolver: Resolver;
  /** What the well-known file of `hostname` delegates to; undefined when it has any defect. Never throws. */
  readonly delegateOf: (hostname: string) => Promise<ServerName | undefined>;
  /** Chance: a number in [0, 1). */
  readonly fraction: () => number;
  readonly reach: Reach;
}

/** Finds the server `name`, or says why not. Never throws. */
export async function resolveServer(
  name: ServerName,
  tools: ResolveTools,
): Promise<ServerRoute | LookUpFault> {
  const { hostname, port } = splitName(name);
  if (port !== undefined || isLiteral(hostname)) return resolveHost(name, tools);
  // step 3
  const delegate = isHostName(hostname) ? await tools.delegateOf(certificateNameOf(hostname)) : undefined;
  return resolveHost(delegate ?? name, tools);
}

/** Steps 1, 2 and 4 to 6 for the name itself, 3.1 to 3.5 for what it delegates to: they are the same. */
async function resolveHost(name: ServerName, tools: ResolveTools): Promise<ServerRoute | LookUpFault> {
  const { hostname, port } = splitName(name);
  const certificateName = certificateNameOf(hostname);
  if (!isLiteral(hostname) && !isHostName(hostname)) {
    return { fault: `${hostname} is no host name that can be looked up`, isPassing: false };
  }
  const targets =
    port === undefined && !isLiteral(hostname)
      ? await srvTargets(hostname, tools)
      : [{ host: certificateName, port: port ?? DEFAULT_PORT }];
  if (isFault(targets)) return targets;
  const endpoints = await endpointsOf(targets, tools);
  return isFault(endpoints) ? endpoints : { endpoints, host: name, certificateName };
}

interface Target {
  readonly host: string;
  readonly port: number;
}

/** The targets of the first of the two services that has any; without them, the host at port 8448. */
async function srvTargets(hostname: string, tools: ResolveTools): Promise<readonly Target[] | LookUpFault> {
  const { resolver, fraction } = tools;
  for (const service of SERVICES) {
    const name = `${service}.${hostname}`;
    const records = await resolver.srv(name).catch(() => undefined);
    if (records === undefined) return { fault: `DNS gave no answer for ${name}`, isPassing: true };
    if (records.length === 0) continue;
    const targets: Target[] = [];
    for (const { target, port } of orderSrv(records, fraction).slice(0, MAX_TARGETS)) {
      const host = certificateNameOf(target);
      if (await mayBeTarget(host, resolver)) targets.push({ host, port });
    }
    return targets.length > 0
      ? targets
      : { fault: `${name} names no host that can be connected to`, isPassing: false };
  }
  return [{ host: certificateNameOf(hostname), port: DEFAULT_PORT }];
}

/** RFC 2782: `.` says that there is no such service, an alias is not allowed. An address is no name. */
async function mayBeTarget(host: string, resolver: Resolver): Promise<boolean> {
  if (!isHostName(host)) return false;
  return !(await resolver.isAlias(host).catch(() => false)); // what DNS does not answer, the look-up will tell
}

async function endpointsOf(
  targets: readonly Target[],
  { resolver, reach }: ResolveTools,
): Promise<readonly Endpoint[] | LookUpFault> {
  const endpoints: Endpoint[] = [];
  let firstFault: LookUpFault | undefined;
  for (const { host, port } of targets) {
    const addresses = await lookUpAddresses(host, resolver, reach);
    if (isFault(addresses)) firstFault ??= addresses;
    else endpoints.push(...addresses.map((address) => ({ address, port })));
    if (endpoints.length >= MAX_ENDPOINTS) break;
  }
  if (endpoints.length > 0) return endpoints.slice(0, MAX_ENDPOINTS);
  return firstFault ?? { fault: 'there is nothing to connect to', isPassing: false };
}

function splitName(name: ServerName): { readonly hostname: string; readonly port: number | undefined } {
  const [, hostname = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(name) ?? [];
  return { hostname, port: port === undefined ? undefined : Number(port) };
}

/** Server names are valid, so four groups of digits are an IPv4 address and what has brackets an IPv6 address. */
function isLiteral(hostname: string): boolean {
  return hostname.startsWith('[') || isIPv4(withoutLeadingZeros(hostname));
}

/** An address as addresses are written, a host name without a final dot. */
function certificateNameOf(hostname: string): string {
  if (hostname.startsWith('[')) return hostname.slice(1, -1);
  const decimal = withoutLeadingZeros(hostname);
  return isIPv4(decimal) ? decimal : hostname.replace(/\.$/, '');
}

/** `010.0.0.1` is 10.0.0.1 in a server name; what reads addresses elsewhere takes it for octal. */
function withoutLeadingZeros(hostname: string): string {
  return hostname.replace(/(^|\.)0+(?=\d)/g, '$1');
}

/**
 * Is it a name to URLs, too? They take `1.2.3` and `0x7f.1` for addresses, and refuse some names that a server
 * may have (Matrix v1.19, Appendices, "Server Name" is only a necessary condition).
 */
function isHostName(hostname: string): boolean {
  const url = `https://${hostname}`;
  return URL.canParse(url) && new URL(url).hostname === hostname.toLowerCase() && !isIPv4(hostname);
}

/** The second is deprecated since v1.8. */
const SERVICES = ['_matrix-fed._tcp', '_matrix._tcp'];
const DEFAULT_PORT = 8448;
const MAX_TARGETS = 8;
const MAX_ENDPOINTS = 8;
