/**
 * `/.well-known/matrix/server`: where a server delegates to, and for how long that may be believed.
 *
 * @see Server-Server API v1.19, "Resolving server names", step 3; RFC 9111 section 5
 */
import type { Clock } from '../clock.js';
import { parseServerName, serverNameFault, type ServerName } from '../ids/server-name.js';
import { JsonSyntaxError, parseJson, stringMember } from '../wire/json.js';
import { BoundedMap } from './bounded-map.js';

/** What a web server said, after redirects. */
export interface WellKnownAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Asks the web server of a host for the file. @throws Error of any kind when there is no answer */
export type FetchWellKnown = (hostname: string) => Promise<WellKnownAnswer>;

/** The `m.server` of an answer; undefined when it has any defect. The type that it says it has does not matter. */
export function parseWellKnown({ status, body }: WellKnownAnswer): ServerName | undefined {
  if (status !== 200) return undefined;
  let server: string;
  try {
    server = stringMember(parseJson(body), 'm.server') ?? '';
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
  return serverNameFault(server) === undefined ? parseServerName(server) : undefined;
}

/** How long a delegation may be believed, by the headers of the answer: a day if they say nothing, two at most. */
export function lifetimeMs(headers: WellKnownAnswer['headers'], nowMs: number): number {
  return Math.min(MAX_LIFETIME_MS, Math.max(0, saidLifetimeMs(headers, nowMs) ?? DEFAULT_LIFETIME_MS));
}

/**
 * Remembers delegations, and the lack of one.
 *
 * A defect is remembered for an hour; that there was no answer, for a minute at first, twice as long each time, an
 * hour at most. Who asks while a question is under way gets its answer.
 */
export class WellKnownCache {
  readonly #fetch: FetchWellKnown;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #known: BoundedMap<string, Known>;
  readonly #underWay = new Map<string, Promise<ServerName | undefined>>();

  constructor(fetch: FetchWellKnown, clock: Pick<Clock, 'now'>, maxEntries = DEFAULT_MAX_ENTRIES) {
    this.#fetch = fetch;
    this.#clock = clock;
    this.#known = new BoundedMap(maxEntries);
  }

  /** What `hostname` delegates to; undefined when it does not. Never throws. */
  delegateOf(hostname: string): Promise<ServerName | undefined> {
    const known = this.#known.get(hostname);
    if (known !== undefined && this.#clock.now() < known.untilMs) return Promise.resolve(known.delegate);
    const already = this.#underWay.get(hostname);
    if (already !== undefined) return already;
    const asking = this.#ask(hostname, known?.silences ?? 0).finally(() => this.#underWay.delete(hostname));
    this.#underWay.set(hostname, asking);
    return asking;
  }

  async #ask(hostname: string, silences: number): Promise<ServerName | undefined> {
    const answer = await this.#fetch(hostname).catch(() => undefined);
    const nowMs = this.#clock.now();
    if (answer === undefined || isPassing(answer.status)) {
      const waitMs = Math.min(MAX_DEFECT_MS, FIRST_SILENCE_MS * 2 ** silences);
      this.#known.set(hostname, { delegate: undefined, untilMs: nowMs + waitMs, silences: silences + 1 });
      return undefined;
    }
    const delegate = parseWellKnown(answer);
    const keptMs = delegate === undefined ? MAX_DEFECT_MS : lifetimeMs(answer.headers, nowMs);
    this.#known.set(hostname, { delegate, untilMs: nowMs + keptMs, silences: 0 });
    return delegate;
  }
}

interface Known {
  readonly delegate: ServerName | undefined;
  readonly untilMs: number;
  /** How often in a row there was no answer. */
  readonly silences: number;
}

/** Such an answer says nothing about whether there is a file. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** By `Cache-Control`, else by `Expires` (RFC 9111 section 4.2.1); undefined when neither says anything. */
function saidLifetimeMs(headers: WellKnownAnswer['headers'], nowMs: number): number | undefined {
  const directives = (headers['cache-control'] ?? '').toLowerCase().split(',').map(trimmed);
  if (directives.includes('no-store') || directives.includes('no-cache')) return 0;
  const maxAge = directives.map((directive) => /^max-age="?(\d{1,12})"?$/.exec(directive)?.[1]).find(isGiven);
  if (maxAge !== undefined) return (Number(maxAge) - ageSeconds(headers)) * 1000;
  const expires = headers['expires'];
  if (expires === undefined) return undefined;
  const expiresMs = Date.parse(expires);
  const dateMs = Date.parse(headers['date'] ?? '');
  // "0" and other dates that are none mean that it has expired
  return Number.isNaN(expiresMs) ? 0 : expiresMs - (Number.isNaN(dateMs) ? nowMs : dateMs);
}

/** How long a cache on the way had the answer already. */
function ageSeconds(headers: WellKnownAnswer['headers']): number {
  const age = headers['age'] ?? '';
  return /^\d{1,12}$/.test(age) ? Number(age) : 0;
}

function trimmed(text: string): string {
  return text.trim();
}

function isGiven(text: string | undefined): text is string {
  return text !== undefined;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DEFAULT_LIFETIME_MS = 24 * HOUR_MS;
const MAX_LIFETIME_MS = 48 * HOUR_MS;
const MAX_DEFECT_MS = HOUR_MS;
const FIRST_SILENCE_MS = MINUTE_MS;
const DEFAULT_MAX_ENTRIES = 1000;
