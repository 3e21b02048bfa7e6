/**
 * The keys of other servers: fetched when first needed, remembered while they are good.
 *
 * Whoever sends us a request makes us fetch keys, and may claim to be anyone: how often one server is asked, how
 * many are asked at once and how many are remembered all have an end.
 *
 * @see Server-Server API v1.19, "Retrieving server keys"
 */
import type { Clock } from '../clock.js';
import { DeadlineError, Mx2sError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import type { JsonNode } from '../wire/json.js';
import { BoundedMap } from './bounded-map.js';
import { usableUntilMs, verifyServerKeys, type KeyFault, type ServerKeys } from './server-keys.js';
import type { PublicKey } from './signing-key.js';

/**
 * Asks a server for its keys, and gives the answer unverified.
 * @throws Mx2sError when there is none; the signal's reason
 */
export type FetchKeys = (serverName: ServerName, signal: AbortSignal) => Promise<JsonNode>;

export interface KeyRingOptions {
  readonly fetch: FetchKeys;
  readonly clock: Pick<Clock, 'now'>;
  /** How many servers are remembered; default 1000. */
  readonly maxServers?: number | undefined;
}

export class KeyRing {
  readonly #options: KeyRingOptions;
  readonly #known: BoundedMap<ServerName, Known>;
  readonly #underWay = new Map<ServerName, Promise<Known>>();
  /** What came of those whose keys were never good. */
  readonly #failed: BoundedMap<ServerName, Known>;
  /** Servers that we have no keys of and that are being asked, the one asked for longest first. */
  readonly #strangers = new Map<ServerName, Asking>();

  constructor(options: KeyRingOptions) {
    this.#options = options;
    this.#known = new BoundedMap(options.maxServers ?? DEFAULT_MAX_SERVERS);
    this.#failed = new BoundedMap(options.maxServers ?? DEFAULT_MAX_SERVERS);
  }

  /** The key of `serverName` that can verify a request now. Never throws. */
  async keyFor(serverName: ServerName, keyId: string): Promise<PublicKey | KeyFault> {
    const key = this.#usable(this.#known.get(serverName)?.keys)?.verifyKeys.get(keyId);
    if (key !== undefined) return key;
    const { keys, fault } = await this.#fetch(serverName, MAX_STRANGERS);
    const usable = this.#usable(keys);
    if (usable === undefined) return fault ?? { fault: `the keys of ${serverName} have expired` };
    return usable.verifyKeys.get(keyId) ?? { fault: `${serverName} has no key ${keyId}` };
  }

  /**
   * The keys of `serverName` for those who ask us as a notary: fetched anew after half of their life, or when they
   * are not good until `minimumMs`; if that cannot be, what we have. Never throws.
   */
  async keysOf(serverName: ServerName, minimumMs: number): Promise<ServerKeys | KeyFault> {
    const known = this.#known.get(serverName)?.keys;
    if (
      known !== undefined &&
      known.validUntilMs >= minimumMs &&
      this.#options.clock.now() < halfLifeMs(known)
    ) {
      return known;
    }
    const { keys, fault } = await this.#fetch(serverName, MAX_STRANGERS_FOR_OTHERS);
    return keys ?? fault ?? { fault: `${serverName} has no keys` };
  }

  #usable(keys: ServerKeys | undefined): ServerKeys | undefined {
    return keys !== undefined && this.#options.clock.now() < usableUntilMs(keys) ? keys : undefined;
  }

  /**
   * Fetches, unless that was done too often; in either case gives what is known then.
   *
   * Anybody can name servers that nobody has heard of. So these have a bound of their own, less for those who ask us
   * as a notary, and their failures a place of their own: a server whose keys were good is not pushed aside.
   */
  #fetch(serverName: ServerName, maxStrangers: number): Promise<Known> {
    const already = this.#underWay.get(serverName);
    if (already !== undefined) return already;
    const known = this.#known.get(serverName) ?? this.#failed.get(serverName);
    const nowMs = this.#options.clock.now();
    if (known !== undefined && nowMs - (known.againMs ?? -Infinity) < FETCH_INTERVAL_MS) {
      return Promise.resolve(known);
    }
    const asking: Asking = { sinceMs: nowMs, end: new AbortController() };
    const isStranger = known?.keys === undefined;
    if (isStranger) {
      if (!this.#hasRoom(maxStrangers)) return Promise.resolve({ fault: TOO_MANY });
      this.#strangers.set(serverName, asking);
    }
    const fetching = this.#ask(serverName, known, asking.end.signal).finally(() => {
      this.#underWay.delete(serverName);
      if (this.#strangers.get(serverName) === asking) this.#strangers.delete(serverName);
    });
    this.#underWay.set(serverName, fetching);
    return fetching;
  }

  /**
   * Is there room to ask one more stranger? If need be, by no longer waiting for the one asked first: who makes up
   * names of servers that never answer would else keep all others out for as long as we wait for these.
   */
  #hasRoom(maxStrangers: number): boolean {
    if (this.#strangers.size < maxStrangers) return true;
    if (maxStrangers < MAX_STRANGERS) return false;
    const [oldest] = this.#strangers;
    if (oldest === undefined || this.#options.clock.now() - oldest[1].sinceMs < SURE_MS) return false;
    this.#strangers.delete(oldest[0]);
    oldest[1].end.abort(new DeadlineError(SURE_MS, SILENT_TOO_LONG));
    return true;
  }

  async #ask(serverName: ServerName, known: Known | undefined, signal: AbortSignal): Promise<Known> {
    const { fetch, clock } = this.#options;
    const result = await fetch(serverName, signal).then(
      (node) => verifyServerKeys(node, serverName, clock.now()),
      (cause: unknown) => faultOf(serverName, cause),
    );
    const againMs = known === undefined ? undefined : clock.now();
    // what was good stays so until it expires, should its server not answer now
    const next =
      'fault' in result ? { keys: known?.keys, fault: result, againMs } : { keys: result, againMs };
    (next.keys === undefined ? this.#failed : this.#known).set(serverName, next);
    return next;
  }
}

/** What the last fetch came to, and what is left from before. */
interface Known {
  readonly keys?: ServerKeys | undefined;
  readonly fault?: KeyFault | undefined;
  /** When they were last fetched other than for the first time: the second fetch need not wait. */
  readonly againMs?: number | undefined;
}

interface Asking {
  readonly sinceMs: number;
  readonly end: AbortController;
}

function halfLifeMs(keys: ServerKeys): number {
  return keys.fetchedMs + (usableUntilMs(keys) - keys.fetchedMs) / 2;
}

/** The reason may tell of the network around us: it is not for strangers. */
function faultOf(serverName: ServerName, cause: unknown): KeyFault {
  if (!(cause instanceof Mx2sError)) throw cause;
  return { fault: `the keys of ${serverName} cannot be fetched`, cause };
}

const FETCH_INTERVAL_MS = 10_000;
/** How many servers that we have no keys of may be asked at a time. */
const MAX_STRANGERS = 100;
const MAX_STRANGERS_FOR_OTHERS = 10;
/** A stranger has so long to answer; after that as long as no other is to be asked. */
const SURE_MS = 3000;
const SILENT_TOO_LONG = `it was silent for ${String(SURE_MS / 1000)} s, and others are to be asked`;
const TOO_MANY: KeyFault = { fault: 'too many keys are being fetched' };
const DEFAULT_MAX_SERVERS = 1000;
