/**
 * Finds the homeserver that serves a server name.
 * @see Client-Server API v1.19, "Well-known URIs", "GET /.well-known/matrix/client"
 */
import { InvalidInputError, MalformedResponseError, Mx2sError } from '../errors.js';
import type { HttpClient } from '../http/client.js';
import { isLoopbackHost } from '../http/loopback.js';
import type { ServerName } from '../ids/server-name.js';
import { withoutSecrets } from '../typed-text.js';
import { member, parseJson, stringMember, type JsonNode } from '../wire/json.js';
import { parseHomeserverUrl } from './homeserver-url.js';
import { openClientApi } from './open.js';
import { versions, type Versions } from './versions.js';

/** What became of the search for a homeserver. */
export type Discovery =
  | { readonly found: true; readonly baseUrl: string; readonly versions: Versions }
  /** Nothing was found, and no harm done: ask the user for the homeserver's URL (`FAIL_PROMPT`). */
  | { readonly found: false; readonly reason: string };

/**
 * Asks `https://{host}/.well-known/matrix/client`, and whoever it names, for `/versions`.
 *
 * Where there is no such file (`IGNORE`), or nothing answers, the server name itself is tried, over https. On
 * loopback it is always tried, then over plain http, for a homeserver under development such as
 * `localhost:8008`. Elsewhere a file that is there and says nothing useful is `FAIL_PROMPT`. One that names a bad
 * or silent homeserver is `FAIL_ERROR`: no guess is made in its place.
 *
 * @throws MalformedResponseError for a `base_url` that is no https URL (plain http is allowed on loopback), or that
 *   does not answer as a homeserver; NetworkError, MatrixError when it does not answer; the signal's reason
 */
export async function discover(
  http: HttpClient,
  serverName: ServerName,
  signal?: AbortSignal,
): Promise<Discovery> {
  const host = serverName.replace(/:\d+$/, '').toLowerCase();
  const loopback = isLoopbackHost(host);
  const file = await readWellKnown(http, `https://${host}/.well-known/matrix/client`, signal);
  if (file.kind === 'named') {
    const api = openClientApi({ baseUrl: file.baseUrl, http });
    return { found: true, baseUrl: file.baseUrl, versions: await versions(api, { auth: 'none' }, signal) };
  }
  const nothing = { found: false, reason: file.reason } as const;
  if (file.kind === 'useless' && !loopback) return nothing;
  return (await tryServerName(http, serverName, loopback, signal)) ?? nothing;
}

type WellKnown =
  | { readonly kind: 'named'; readonly baseUrl: string }
  /** 404, or no answer at all. */
  | { readonly kind: 'absent'; readonly reason: string }
  | { readonly kind: 'useless'; readonly reason: string };

async function readWellKnown(http: HttpClient, url: string, signal?: AbortSignal): Promise<WellKnown> {
  const answer = await orFault(
    http.send(
      { method: 'GET', url, redirects: 'anywhere', retry: 'never', timeoutMs: WELL_KNOWN_TIMEOUT_MS },
      signal,
    ),
    signal,
  );
  if (answer instanceof Mx2sError) {
    return { kind: answer.code === 'network' ? 'absent' : 'useless', reason: answer.message };
  }
  if (answer.status === 404) return { kind: 'absent', reason: `${url} does not exist` };
  if (answer.status !== 200) return { kind: 'useless', reason: `${url} answered ${String(answer.status)}` };

  const baseUrl = readBaseUrl(answer.body);
  if (baseUrl === undefined) return { kind: 'useless', reason: `${url} names no homeserver` };
  return { kind: 'named', baseUrl: parseDiscoveredUrl(baseUrl, `GET ${url}`) };
}

function readBaseUrl(body: string): string | undefined {
  let root: JsonNode;
  try {
    root = parseJson(body);
  } catch {
    return undefined;
  }
  return stringMember(member(root, 'm.homeserver'), 'base_url');
}

/**
 * The homeserver URL that a server names: what another machine says must not lead a password over plain http.
 * @throws MalformedResponseError
 */
export function parseDiscoveredUrl(text: string, at: string): string {
  const refuse = (why: string): never => {
    throw new MalformedResponseError('an https base_url', at, `${at} names a homeserver that ${why}`, {
      hint: 'give the right URL with --homeserver',
    });
  };
  if (holdsUserInformation(text)) return refuse('has user information in its URL'); // it may hold a password
  try {
    const baseUrl = parseHomeserverUrl(text);
    const { protocol, hostname } = new URL(baseUrl);
    if (protocol === 'https:' || isLoopbackHost(hostname)) return baseUrl;
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
  }
  return refuse(`is no https URL: ${JSON.stringify(withoutSecrets(text))}`);
}

function holdsUserInformation(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password } = new URL(text);
  return username !== '' || password !== '';
}

async function tryServerName(
  http: HttpClient,
  serverName: ServerName,
  loopback: boolean,
  signal?: AbortSignal,
): Promise<Discovery | undefined> {
  for (const scheme of loopback ? ['https', 'http'] : ['https']) {
    const baseUrl = `${scheme}://${serverName}`;
    const guess = openClientApi({ baseUrl, http });
    const answer = await orFault(
      versions(guess, { auth: 'none', retry: 'never', timeoutMs: WELL_KNOWN_TIMEOUT_MS }, signal),
      signal,
    );
    if (!(answer instanceof Mx2sError)) return { found: true, baseUrl, versions: answer };
  }
  return undefined;
}

/** Errors of ours as values, for what may well fail; an abort is none. */
async function orFault<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T | Mx2sError> {
  try {
    return await promise;
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof Mx2sError) return error;
    throw error;
  }
}

const WELL_KNOWN_TIMEOUT_MS = 5000;
