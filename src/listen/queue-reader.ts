/**
 * Reads one device's queue batch by batch, stores how far, and keeps at it when the line goes down.
 *
 * At least once: a position is given out to be stored after its events were handed over, and only then used as `since`.
 */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import type { Position } from '../config/position.js';
import {
  MalformedResponseError,
  MatrixError,
  NetworkError,
  RateLimitedError,
  RedirectError,
} from '../errors.js';
import { backoffMs } from '../http/retry.js';
import type { BatchSource } from './batch-source.js';
import { OpenBatch, type Batch } from './open-batch.js';
import { Pace } from './pace.js';
import { TimeUp, withinTime } from './time-limit.js';

/** What a reader tells while it works. */
export interface LineReport {
  /** The first failure of an outage. */
  down(error: Error): void;
  /** The end of an outage. */
  up(): void;
  /** The server does not know the token that we had, and everything unacknowledged comes again. */
  startedOver(error: MatrixError): void;
  /** The server asks for patience, and gets it for so long. */
  limited(waitMs: number): void;
}

export interface QueueReaderOptions {
  /** Must not repeat what fails: that is done here. */
  readonly source: BatchSource;
  readonly start: Position;
  /** The token to start with is somebody's word: fail if the server does not know it. */
  readonly insistOnStart?: boolean | undefined;
  /** The first answer must not come from a cache. */
  readonly freshStart?: boolean | undefined;
  /** How often a failure is repeated before the first good answer. */
  readonly retries: number;
  /** How long an outage after it may last; infinite for ever. */
  readonly maxOfflineMs: number;
  /** Stores it, now or soon: what is on disk may be behind, and never ahead. @throws DiskError */
  store(position: Position): void;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  readonly report: LineReport;
}

interface Outage {
  readonly sinceMs: number;
  readonly failures: number;
  readonly error: Error;
}

/** Reads one queue, in one run. Nobody else may read the same queue meanwhile. */
export class QueueReader {
  readonly #options: QueueReaderOptions;
  #position: Position;
  readonly #pace = new Pace();
  #hasRead = false;
  /** Since the last `since` that the server knew. */
  #hasStartedOver = false;
  #owesAcknowledgement = false;

  constructor(options: QueueReaderOptions) {
    this.#options = options;
    this.#position = options.start;
  }

  /**
   * The next batch. Before the first one, what fails is repeated `retries` times; after it, for `maxOfflineMs`.
   *
   * @throws what failed for good, the signal's reason, DiskError
   */
  async read(timeoutMs: number, signal: AbortSignal): Promise<OpenBatch> {
    let outage: Outage | undefined;
    for (;;) {
      try {
        // an empty poll would tell that the line is back only after its whole time
        const pollMs = outage === undefined ? timeoutMs : 0;
        if (pollMs > 0) await this.#keepPace(signal);
        const batch = await this.#ask(pollMs, outage, signal);
        if (outage !== undefined && this.#hasRead) this.#options.report.up();
        this.#hasRead = true;
        return batch;
      } catch (error) {
        signal.throwIfAborted();
        outage = this.#failed(error, outage);
        await this.#options.clock.sleep(this.#pauseMs(outage), signal);
      }
    }
  }

  /**
   * Counts the next `count` events of the batch read last as handed over, and stores it.
   * @throws DiskError
   */
  advance(batch: OpenBatch, count: number): void {
    batch.advance(count);
    this.#settle(batch);
  }

  /**
   * Acknowledges the last batch if all of it was handed over. What this sync gives is left for the next run. A
   * failure does no harm: the next run acknowledges.
   */
  async acknowledge(): Promise<void> {
    if (!this.#owesAcknowledgement) return;
    const { clock, source } = this.#options;
    const limit = {
      clock,
      deadlineMs: clock.monotonic() + ACKNOWLEDGE_MS,
      signal: new AbortController().signal,
    };
    const { since } = this.#position;
    await withinTime(limit, (signal) => source.read({ since, timeoutMs: 0 }, signal)).catch(() => undefined);
    this.#owesAcknowledgement = false;
  }

  async #ask(timeoutMs: number, outage: Outage | undefined, signal: AbortSignal): Promise<OpenBatch> {
    const { clock, source, freshStart, maxOfflineMs } = this.#options;
    const asked = this.#position;
    const fresh = freshStart === true && !this.#hasRead;
    const deadlineMs = outage === undefined || !this.#hasRead ? Infinity : outage.sinceMs + maxOfflineMs;
    const askedAtMs = clock.monotonic();
    let batch: Batch;
    try {
      batch = await withinTime({ clock, deadlineMs, signal }, (within) =>
        source.read({ since: asked.since, timeoutMs, fresh }, within),
      );
    } catch (error) {
      if (!this.#mayStartOver() || !isUnknownToken(error)) throw error;
      this.#position = startOf(source.api);
      this.#hasStartedOver = true;
      this.#options.report.startedOver(error);
      return this.#ask(timeoutMs, outage, signal);
    }
    const open = new OpenBatch(asked, batch);
    if (!open.isEmpty && batch.nextBatch !== undefined && batch.nextBatch === asked.since) {
      throw standstill(source.api);
    }
    if (asked.since !== undefined) this.#hasStartedOver = false;
    this.#pace.note({ timeoutMs, elapsedMs: clock.monotonic() - askedAtMs, isEmpty: open.isEmpty });
    this.#settle(open);
    return open;
  }

  async #keepPace(signal: AbortSignal): Promise<void> {
    const { clock, chance } = this.#options;
    const pauseMs = this.#pace.pauseMs(chance.fraction());
    if (pauseMs > 0) await clock.sleep(pauseMs, signal);
  }

  /** Takes over where the batch stands. */
  #settle(batch: OpenBatch): void {
    const before = this.#position;
    this.#position = batch.position;
    this.#owesAcknowledgement = batch.isDone && !batch.isEmpty;
    const { since, consumed } = this.#position;
    if (since !== before.since || consumed !== before.consumed) this.#options.store(this.#position);
  }

  /**
   * The token is our own, so there is nothing to lose by doing without: what was not acknowledged comes again. Not
   * again and again, from a server that knows no token of its own.
   */
  #mayStartOver(): boolean {
    if (this.#hasStartedOver) return false;
    return this.#position.since !== undefined && (this.#hasRead || this.#options.insistOnStart !== true);
  }

  /** What comes after a failure. @throws the error when there is nothing to wait for */
  #failed(error: unknown, outage: Outage | undefined): Outage {
    const { clock, retries, maxOfflineMs, report } = this.#options;
    if (error instanceof TimeUp && outage !== undefined) throw outage.error;
    const nowMs = clock.monotonic();
    const next = {
      sinceMs: outage?.sinceMs ?? nowMs,
      failures: (outage?.failures ?? 0) + 1,
      error: error as Error,
    };
    if (!(this.#hasRead ? isOutage(error) : mayPass(error, outage?.error))) throw error;
    if (!this.#hasRead) {
      if (next.failures > retries || error instanceof RateLimitedError) throw error;
      return next;
    }
    if (outage === undefined) report.down(next.error);
    if (nowMs - next.sinceMs >= maxOfflineMs) throw error;
    return next;
  }

  #pauseMs({ sinceMs, failures, error }: Outage): number {
    const { clock, chance, maxOfflineMs, report } = this.#options;
    const backoff = backoffMs(failures - 1, chance.fraction());
    if (!this.#hasRead) return backoff;
    const askedMs = error instanceof RateLimitedError ? Math.min(error.retryAfterMs, MAX_LIMIT_WAIT_MS) : 0;
    const leftMs = Math.max(0, sinceMs + maxOfflineMs - clock.monotonic());
    const pauseMs = Math.min(Math.max(backoff, askedMs), leftMs);
    if (askedMs > 0) report.limited(pauseMs);
    return pauseMs;
  }
}

/** The position from which everything unacknowledged comes. */
export function startOf(api: Position['api']): Position {
  return { api, since: undefined, consumed: 0 };
}

/** Events that cannot be acknowledged would come for ever. */
function standstill(api: Position['api']): MalformedResponseError {
  return new MalformedResponseError(
    'a next_batch that moves on',
    `sync (${api})`,
    'the homeserver gave events with the next_batch that it was asked with: nothing would acknowledge them',
  );
}

/**
 * After a good answer: is it the line that fails, or whatever stands in front of the homeserver? A proxy says all
 * kinds of things while the server behind it is down, so only the homeserver's own word about us is final.
 */
function isOutage(error: unknown): boolean {
  if (error instanceof MatrixError) return error.errcode === undefined || !FINAL_ERRCODES.has(error.errcode);
  return (
    error instanceof NetworkError ||
    error instanceof RateLimitedError ||
    error instanceof RedirectError ||
    error instanceof MalformedResponseError
  );
}

/** Before a good answer: can a failure pass by itself? An answer that makes no sense gets one more chance. */
function mayPass(error: unknown, previous: Error | undefined): boolean {
  if (error instanceof MalformedResponseError) return !(previous instanceof MalformedResponseError);
  if (error instanceof MatrixError) return error.retryable || PASSING_STATUSES.has(error.status);
  return (error instanceof NetworkError && error.retryable) || error instanceof RateLimitedError;
}

/** Synapse says `M_UNKNOWN`, others `M_INVALID_PARAM`. */
function isUnknownToken(error: unknown): error is MatrixError {
  return error instanceof MatrixError && error.status === 400 && TOKEN_ERRCODES.has(error.errcode);
}

const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425]);
/** What a homeserver says of the account or its token (Client-Server API v1.19, "Common error codes"). */
const FINAL_ERRCODES: ReadonlySet<string> = new Set([
  'M_UNKNOWN_TOKEN',
  'M_MISSING_TOKEN',
  'M_FORBIDDEN',
  'M_USER_LOCKED',
  'M_USER_SUSPENDED',
  'M_USER_DEACTIVATED',
  'M_CONSENT_NOT_GIVEN',
]);
const TOKEN_ERRCODES: ReadonlySet<string | undefined> = new Set(['M_UNKNOWN', 'M_INVALID_PARAM']);
/** A signal is answered within two seconds, and this is the last thing that is done. */
const ACKNOWLEDGE_MS = 1500;
/** The longest wait that a rate limit can ask for. */
const MAX_LIMIT_WAIT_MS = 15 * 60_000;
