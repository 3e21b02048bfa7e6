/**
 * `listen`: hands over what comes, until it is told to stop. First the spool, then the queue.
 *
 * It prints nothing itself, knows no exit status, and gives an event to nobody twice in one run.
 */
import type { Clock } from '../clock.js';
import type { Spool } from '../config/spool.js';
import { HookFailedError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { receivedEvent, type ReceivedEvent } from '../todevice/received.js';
import type { Hook } from './hook.js';
import type { OpenBatch } from './open-batch.js';
import type { QueueReader } from './queue-reader.js';
import type { Selection } from './selection.js';
import { PRINT_GRACE_MS, TimeUp, unlessStopped, withinTime } from './time-limit.js';

export interface ListenerOptions {
  readonly reader: QueueReader;
  readonly spool: Spool;
  /** Of the user that we are. */
  readonly ownServer: ServerName;
  readonly selection: Selection;
  /** Resolves when the kernel has taken the events. */
  print(events: readonly ReceivedEvent[]): Promise<void>;
  /** Has to take an event before it is printed. */
  readonly hook?: Hook | undefined;
  /** Gets the failure where the hook's events are to be passed over; without it a failure ends the run. */
  readonly onHookFailure?: ((error: HookFailedError) => void) | undefined;
  /** After the first good answer of the server, before anything of it is handed over. */
  onReady(): Promise<void>;
  /** How many events to print; infinite for all. */
  readonly count: number;
  /** When to stop, on the monotonic clock; infinite for never. */
  readonly deadlineMs: number;
  /** How long to wait for an event that is printed; infinite for ever. */
  readonly idleMs: number;
  /** Stop when nothing waits. */
  readonly drain: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Why listening ended. */
export type ListenEnd = 'count' | 'time' | 'idle' | 'drained' | 'interrupted';

/** What became of the events so far. */
export interface Tally {
  readonly printed: number;
  /** The selection did not want them. */
  readonly unselected: number;
  /** Their hook failed, and they were passed over. */
  readonly hookFailures: number;
  /** Items that are no events at all. */
  readonly malformed: number;
}

/** One run of `listen`. What it prints to, and where its events come from, is handed in. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #tally = { printed: 0, unselected: 0, hookFailures: 0, malformed: 0 };

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  get tally(): Tally {
    return this.#tally;
  }

  /**
   * Listens to the end, the last acknowledgement included.
   * @throws HookFailedError, what the reader and `print` throw; the position stands before what was not handed over
   */
  async run(): Promise<ListenEnd> {
    const end = await this.#untilEnd();
    await this.#options.reader.acknowledge();
    return end;
  }

  async #untilEnd(): Promise<ListenEnd> {
    const { clock, deadlineMs, signal } = this.#options;
    try {
      return await withinTime({ clock, deadlineMs, signal }, (within) => this.#listen(within));
    } catch (error) {
      if (error instanceof TimeUp) return 'time';
      if (signal.aborted && error === signal.reason) return 'interrupted';
      throw error;
    }
  }

  async #listen(signal: AbortSignal): Promise<ListenEnd> {
    const { spool, reader, drain, onReady, clock } = this.#options;
    const isReached = await this.#handOver(spool.waiting, (count) => spool.remove(count), signal);
    if (isReached) return 'count';

    let quietSinceMs: number | undefined;
    for (;;) {
      const batch = await this.#read(quietSinceMs, signal);
      if (batch === undefined) return 'idle';
      if (quietSinceMs === undefined) await onReady();

      const printedBefore = this.#tally.printed;
      this.#tally.malformed += batch.malformedCount;
      if (await this.#handOver(batch.waiting, (count) => reader.advance(batch, count), signal))
        return 'count';
      if (drain && batch.isEmpty) return 'drained';
      if (quietSinceMs === undefined || this.#tally.printed > printedBefore) quietSinceMs = clock.monotonic();
    }
  }

  /** The next batch, or undefined when it was quiet for too long. The first one is asked for without waiting. */
  async #read(quietSinceMs: number | undefined, signal: AbortSignal): Promise<OpenBatch | undefined> {
    const { reader, drain, idleMs, deadlineMs, clock } = this.#options;
    if (quietSinceMs === undefined || drain) return reader.read(0, signal);

    const quietUntilMs = quietSinceMs + idleMs;
    const leftMs = Math.min(quietUntilMs, deadlineMs) - clock.monotonic();
    const pollMs = Math.ceil(Math.min(POLL_MS, Math.max(0, leftMs)));
    try {
      return await withinTime({ clock, deadlineMs: quietUntilMs, signal }, (within) =>
        reader.read(pollMs, within),
      );
    } catch (error) {
      if (error instanceof TimeUp && !signal.aborted) return undefined;
      throw error;
    }
  }

  /** Hands over events in order. True when as many were printed as were asked for: the rest stays. */
  async #handOver(
    events: readonly ToDeviceEvent[],
    advance: (count: number) => void,
    signal: AbortSignal,
  ): Promise<boolean> {
    const receivedTs = this.#options.clock.now();
    let start = 0;
    while (start < events.length) {
      signal.throwIfAborted();
      const { selected, length } = this.#portion(events, start, receivedTs);
      const printed = await this.#deliver(selected, signal);
      advance(length);
      start += length;
      this.#tally.printed += printed;
      this.#tally.unselected += length - selected.length;
      if (this.#tally.printed >= this.#options.count) return true;
    }
    return false;
  }

  /**
   * As many events as may go out with one write and one position: up to the last one that may still be printed, some of
   * a very long answer, or one where a hook is to take it.
   */
  #portion(
    events: readonly ToDeviceEvent[],
    start: number,
    receivedTs: number,
  ): { selected: ReceivedEvent[]; length: number } {
    const { selection, ownServer, hook, count } = this.#options;
    const limit = hook === undefined ? Math.min(count - this.#tally.printed, MAX_AT_ONCE) : 1;
    const selected: ReceivedEvent[] = [];
    let end = start;
    while (selected.length < limit) {
      const next = events[end];
      if (next === undefined) break;
      end += 1;
      const event = receivedEvent(next, ownServer, receivedTs);
      if (selection(event)) selected.push(event);
    }
    return { selected, length: end - start };
  }

  /** Hook first, then print. How many were printed. */
  async #deliver(events: readonly ReceivedEvent[], signal: AbortSignal): Promise<number> {
    const { hook, print, clock } = this.#options;
    const taken = hook === undefined ? events : await this.#takenBy(hook, events, signal);
    if (taken.length > 0) {
      await unlessStopped(print(taken), { clock, signal, graceMs: PRINT_GRACE_MS });
    }
    return taken.length;
  }

  async #takenBy(
    hook: Hook,
    events: readonly ReceivedEvent[],
    signal: AbortSignal,
  ): Promise<ReceivedEvent[]> {
    const taken: ReceivedEvent[] = [];
    for (const event of events) {
      if (await this.#takes(hook, event, signal)) taken.push(event);
    }
    return taken;
  }

  async #takes(hook: Hook, event: ReceivedEvent, signal: AbortSignal): Promise<boolean> {
    const { onHookFailure } = this.#options;
    try {
      await hook(event, signal);
      return true;
    } catch (error) {
      if (!(error instanceof HookFailedError) || onHookFailure === undefined) throw error;
      onHookFailure(error);
      this.#tally.hookFailures += 1;
      return false;
    }
  }
}

/** Servers give 100. An answer of 10 MB would take twice the memory if it were printed at once. */
const MAX_AT_ONCE = 1000;
/** How long the server may hold a request (Client-Server API v1.19, "GET /sync", `timeout`). */
const POLL_MS = 30_000;
