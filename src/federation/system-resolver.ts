/** DNS as this machine sees it. Addresses come from where every program has them, `/etc/hosts` included. */
import { promises as dns } from 'node:dns';
import type { Resolver } from './look-up.js';

/**
 * Opens a resolver. An answer takes 10 s at most.
 * @param servers name servers to ask for SRV and CNAME records, as `ADDRESS:PORT`; default: those of the system
 */
export function systemResolver(servers?: readonly string[]): Resolver {
  const records = new dns.Resolver({ timeout: 2500, tries: 2 });
  if (servers !== undefined) records.setServers(servers);
  return {
    async addresses(host) {
      const found = await orNone(inTime(dns.lookup(host, { all: true, verbatim: true })));
      return found.map(({ address }) => address);
    },
    async srv(name) {
      const found = await orNone(inTime(records.resolveSrv(name)));
      return found.map(({ name: target, port, priority, weight }) => ({ target, port, priority, weight }));
    },
    async isAlias(host) {
      return (await orNone(inTime(records.resolveCname(host)))).length > 0;
    },
  };
}

/** That there is nothing is an answer. */
async function orNone<Found>(search: Promise<readonly Found[]>): Promise<readonly Found[]> {
  try {
    return await search;
  } catch (error) {
    if (error instanceof Error && 'code' in error && NONE.includes(String(error.code))) return [];
    throw error;
  }
}

async function inTime<Found>(search: Promise<Found>): Promise<Found> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('DNS took too long')), TIMEOUT_MS);
  });
  try {
    return await Promise.race([search, late]);
  } finally {
    clearTimeout(timer);
  }
}

const NONE: readonly string[] = [dns.NOTFOUND, dns.NODATA];
const TIMEOUT_MS = 10_000;
