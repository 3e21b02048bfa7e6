/**
 * Fetches `/.well-known/matrix/server`.
 *
 * Where a redirect leads is looked up and checked like any other name that comes from outside.
 */
import type { Clock } from '../clock.js';
import { NetworkError } from '../errors.js';
import { printableUrl } from '../http/printable-url.js';
import { redirectTarget } from '../http/redirect.js';
import type { Answer } from '../http/request.js';
import type { Transport } from '../http/transport.js';
import type { Reach } from './address.js';
import { exchangeAt, type PinnedRequest } from './exchange-at.js';
import { isFault, lookUpAddresses, type Resolver } from './look-up.js';
import type { FetchWellKnown } from './well-known.js';

export interface WellKnownTools {
  readonly transport: Transport;
  readonly resolver: Pick<Resolver, 'addresses'>;
  readonly reach: Reach;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/**
 * A fetch through `transport`: over https only, at most five redirects, 5 s with all of them.
 * The promise that it gives rejects with NetworkError when there is no answer, MalformedResponseError when it is too
 * long.
 */
export function wellKnownFetch(tools: WellKnownTools): FetchWellKnown {
  return async (hostname) => {
    const endMs = tools.clock.monotonic() + TIMEOUT_MS;
    let url = `https://${hostname}/.well-known/matrix/server`;
    for (let followed = 0; ; followed += 1) {
      const answer = await ask(url, endMs, tools);
      const location = redirectTarget(answer);
      if (location === undefined) return answer;
      if (followed === MAX_REDIRECTS) throw failure(url, 'it redirects too often');
      url = follow(url, location);
    }
  };
}

async function ask(url: string, endMs: number, tools: WellKnownTools): Promise<Answer> {
  const { hostname, port } = new URL(url);
  const addresses = await lookUpAddresses(hostname.replace(/^\[|\]$/g, ''), tools.resolver, tools.reach);
  if (isFault(addresses)) throw failure(url, addresses.fault);
  const timeoutMs = endMs - tools.clock.monotonic();
  if (timeoutMs <= 0) throw failure(url, 'it takes too long');
  const endpoints = addresses.map((address) => ({ address, port: Number(port || HTTPS_PORT) }));
  const request: PinnedRequest = { method: 'GET', url, redirects: 'none', timeoutMs };
  return exchangeAt(endpoints, request, tools);
}

/** Server-Server API v1.19, "Resolving server names": well-known files are fetched over HTTPS. */
function follow(from: string, location: string): string {
  const target = URL.canParse(location, from) ? new URL(location, from) : undefined;
  if (target?.protocol !== 'https:') throw failure(from, 'it redirects to what is no https URL');
  if (target.username !== '' || target.password !== '')
    throw failure(from, 'it redirects to a URL with a password');
  return target.href;
}

function failure(url: string, reason: string): NetworkError {
  const shown = printableUrl(url);
  return new NetworkError({ method: 'GET', url: shown }, `GET ${shown}: ${reason}`);
}

const HTTPS_PORT = 443;
const MAX_REDIRECTS = 5;
const TIMEOUT_MS = 5000;
