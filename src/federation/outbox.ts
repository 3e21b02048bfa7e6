/**
 * Sends what is in the outbox: a queue for each destination, one transaction in flight in each.
 *
 * A transaction is sent, the same to the byte, until its destination has taken it; only then comes the next. So
 * order is kept, nothing is lost, and what arrives twice is known by its ID.
 *
 * @see Server-Server API v1.19, "Transactions"
 */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { RateLimitedError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import { MAX_EDUS } from '../wire/transaction.js';
import { BoundedMap } from './bounded-map.js';
import { eduCountFor, outboxDelayMs } from './outbox-plan.js';
import type { OutboxHead, OutboxStore, SealedTransaction } from './outbox-store.js';
import type { OutgoingTransaction } from './send-transaction.js';

/** Sends a transaction once; resolves when it was taken. See `sendTransaction`. */
export type Transmit = (
  destination: ServerName,
  transaction: OutgoingTransaction,
  signal: AbortSignal,
) => Promise<unknown>;

export interface OutboxOptions {
  readonly origin: ServerName;
  readonly store: OutboxStore;
  readonly transmit: Transmit;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'uuid' | 'fraction'>;
  /** Told of each failure, before the wait. */
  readonly onFailure?: ((failure: OutboxFailure) => void) | undefined;
}

export interface OutboxFailure {
  readonly destination: ServerName;
  /** How many in a row, this one counted. */
  readonly failures: number;
  readonly delayMs: number;
  readonly error: unknown;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #lines = new Map<ServerName, Line>();
  readonly #workers = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  readonly #watchers: (() => void)[] = [];
  /** Who has taken a transaction since the start. */
  readonly #takers = new BoundedMap<ServerName, true>(MAX_TAKERS);

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Begins with what was left from before. */
  async start(): Promise<void> {
    for (const destination of await this.#options.store.destinations()) this.wake(destination);
  }

  /** Puts canonical EDUs into the queue of `destination`, and resolves when they are kept. @throws OutboxFullError */
  async append(destination: ServerName, edus: readonly JsonText[]): Promise<void> {
    if (edus.length === 0) return;
    await this.#options.store.append(destination, edus);
    this.wake(destination);
  }

  /** Tells that there is something in a queue, for who put it there together with something else. */
  wake(destination: ServerName): void {
    if (this.#stopping.signal.aborted) return;
    const line = this.#lines.get(destination);
    if (line !== undefined) {
      line.isWoken = true;
      return;
    }
    const worker = this.#work(destination).finally(() => this.#workers.delete(worker));
    this.#workers.add(worker);
  }

  /** Tells that a server shows signs of life: if it did not take anything for a while, it is tried again now. */
  heardFrom(destination: ServerName): void {
    const wait = this.#lines.get(destination)?.wait;
    if (wait !== undefined && this.#options.clock.monotonic() >= wait.earliestEndMs) wait.end.abort();
  }

  /** When there may be room again in a full queue: when its server is tried the next time, in a second at the earliest. */
  retryAfterMs(destination: ServerName): number {
    const untilMs = this.#lines.get(destination)?.wait?.untilMs ?? -Infinity;
    return Math.max(MIN_RETRY_AFTER_MS, Math.ceil(untilMs - this.#options.clock.monotonic()));
  }

  /** Resolves when nothing is in flight: every queue is empty, or waits after a failure. */
  async settled(): Promise<void> {
    while ([...this.#lines.values()].some(({ wait }) => wait === undefined)) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  /** Calls off what is in flight; resolves when nothing moves any more. What was not taken stays in the store. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the outbox was stopped'));
    for (const { wait } of this.#lines.values()) wait?.end.abort();
    await Promise.all(this.#workers);
  }

  /** Works on one queue until it is empty. Never rejects: whatever fails is tried again. */
  async #work(destination: ServerName): Promise<void> {
    const line: Line = { isWoken: false, wait: undefined };
    this.#lines.set(destination, line);
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      try {
        line.isWoken = false;
        const isEmpty = !(await this.#sendNext(destination));
        failures = 0;
        if (isEmpty && !line.isWoken) break;
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        failures += 1;
        await this.#wait(destination, line, failures, error);
      }
    }
    this.#lines.delete(destination);
    this.#tellWatchers();
  }

  /** Sends the next transaction; false when there is none. */
  async #sendNext(destination: ServerName): Promise<boolean> {
    const { store, transmit } = this.#options;
    const head = await store.head(destination, MAX_EDUS);
    if (head.edus.length === 0) return false;
    const { txnId, originServerTsMs, eduCount } = head.sealed ?? (await this.#seal(destination, head));
    const edus = head.edus.slice(0, eduCount);
    await transmit(destination, { txnId, originServerTsMs, edus }, this.#stopping.signal);
    this.#takers.set(destination, true);
    await store.remove(destination, txnId);
    return true;
  }

  async #seal(destination: ServerName, { edus }: OutboxHead): Promise<SealedTransaction> {
    const { origin, store, clock, chance } = this.#options;
    const originServerTsMs = clock.now();
    const hasTakenSome = this.#takers.get(destination) === true;
    const eduCount = eduCountFor(edus, { origin, originServerTsMs }, hasTakenSome);
    const sealed = { txnId: chance.uuid(), originServerTsMs, eduCount };
    await store.seal(destination, sealed);
    return sealed;
  }

  async #wait(destination: ServerName, line: Line, failures: number, error: unknown): Promise<void> {
    const { clock, chance, onFailure } = this.#options;
    const askedMs = error instanceof RateLimitedError ? error.retryAfterMs : 0;
    const delayMs = outboxDelayMs(failures, chance.fraction(), askedMs);
    const end = new AbortController();
    const nowMs = clock.monotonic();
    line.wait = { end, earliestEndMs: nowMs + MIN_SILENCE_MS, untilMs: nowMs + delayMs };
    this.#tellWatchers();
    onFailure?.({ destination, failures, delayMs, error });
    await clock.sleep(delayMs, end.signal).catch(() => undefined); // ended early
    line.wait = undefined;
  }

  #tellWatchers(): void {
    for (const resolve of this.#watchers.splice(0)) resolve();
  }
}

/** One destination that is being worked on. */
interface Line {
  /** Something was put into the queue since it was last looked at. */
  isWoken: boolean;
  wait: OutboxWait | undefined;
}

/** After a failure. Times are those of the monotonic clock. */
interface OutboxWait {
  readonly end: AbortController;
  readonly earliestEndMs: number;
  readonly untilMs: number;
}

const MAX_TAKERS = 1000;
/** A server that sends much and takes nothing is not tried at each of its requests. */
const MIN_SILENCE_MS = 10_000;
const MIN_RETRY_AFTER_MS = 1000;
