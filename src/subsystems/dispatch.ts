/**
 * Hands messages to handlers: at once, never by way of an inbox.
 *
 * Invariant: what one handler does, or fails to do, reaches no other message and no sender. Each handler works on so
 * many messages at a time; beyond that, its messages, and nobody else's, are dropped and counted.
 */
import type { Clock } from '../clock.js';
import { UnreachableError, type Answer, type Handler, type ServerMessage } from './handler.js';

/**
 * What became of one message. `dropped`: no handler wants its type. `awayMs`: for how long its handler could not be
 * reached by now; undefined where it was.
 */
export type Dispatched =
  | { readonly outcome: 'handled'; readonly answers: readonly Answer[] }
  | { readonly outcome: 'failed'; readonly reason: string; readonly awayMs?: number }
  | { readonly outcome: 'dropped' | 'overflow' };

export interface DispatchOptions {
  /** The handler for a type; undefined to drop it. */
  readonly handlerFor: (type: string) => Handler | undefined;
  readonly clock: Clock;
  /** For each handler. */
  readonly concurrency?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly reach?: ReachReport | undefined;
}

/** Told once when a handler can no longer be reached, and once when it can again. `service` is its URL. */
export interface ReachReport {
  lost(service: string, reason: string): void;
  regained(service: string): void;
}

export interface Dispatcher {
  /** Calls the handler before it returns; resolves when that one is done. Never rejects. */
  dispatch(message: ServerMessage): Promise<Dispatched>;
  /** Ends the handlers that run, and takes no more messages. */
  close(): Promise<void>;
}

export function createDispatcher(options: DispatchOptions): Dispatcher {
  const {
    handlerFor,
    clock,
    reach,
    concurrency = DEFAULT_CONCURRENCY,
    timeoutMs = DEFAULT_TIMEOUT_MS,
  } = options;
  const running = new Map<AbortController, Promise<Dispatched>>();
  const atWork = new Map<Handler, number>();
  const away = new Map<Handler, { readonly service: string; readonly sinceMs: number }>();
  let closed = false;

  /** For how long the handler has been away. */
  function lose(handler: Handler, { service, message }: UnreachableError): number {
    const nowMs = clock.monotonic();
    const known = away.get(handler);
    if (known !== undefined) return nowMs - known.sinceMs;
    away.set(handler, { service, sinceMs: nowMs });
    reach?.lost(service, message);
    return 0;
  }

  function regain(handler: Handler): void {
    const known = away.get(handler);
    if (known === undefined) return;
    away.delete(handler);
    reach?.regained(known.service);
  }

  async function run(handler: Handler, message: ServerMessage, over: AbortController): Promise<Dispatched> {
    let isLate = false;
    const timeout = clock.sleep(timeoutMs, over.signal).then(() => {
      isLate = true;
      throw new Error(`no answer within ${timeoutMs} ms`);
    });
    // an async function, so that a handler that throws at once only rejects
    const work = (async () => handler(message, over.signal))();
    try {
      const given = await Promise.race([work, timeout]);
      regain(handler);
      return { outcome: 'handled', answers: given === undefined ? [] : [given].flat() };
    } catch (error) {
      if (closed) return { outcome: 'failed', reason: 'the server stops' };
      const reason = reasonOf(error);
      if (error instanceof UnreachableError) {
        return { outcome: 'failed', reason, awayMs: lose(handler, error) };
      }
      if (!isLate) regain(handler); // one that is silent may be there or not
      return { outcome: 'failed', reason };
    } finally {
      over.abort(DONE);
    }
  }

  return {
    async dispatch(message) {
      const handler = handlerFor(message.type);
      if (handler === undefined) return { outcome: 'dropped' };
      const busy = atWork.get(handler) ?? 0;
      if (busy >= concurrency || closed) return { outcome: 'overflow' };
      atWork.set(handler, busy + 1);
      const over = new AbortController();
      const job = run(handler, message, over);
      running.set(over, job);
      try {
        return await job;
      } finally {
        running.delete(over);
        atWork.set(handler, (atWork.get(handler) ?? 0) - 1);
      }
    },
    async close() {
      closed = true;
      for (const over of running.keys()) over.abort(DONE);
      await Promise.all(running.values());
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Made once: an abort without a reason makes an error, with its stack, for every message. */
const DONE = new Error('no answer is wanted any more');
export const DEFAULT_CONCURRENCY = 16;
export const DEFAULT_TIMEOUT_MS = 30_000;
