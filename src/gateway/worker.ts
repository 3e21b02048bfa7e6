/**
 * What is done with one event: its handler is waited for while it is out of reach, and called until it succeeds or the
 * tries are used up; its answer is sent until the homeserver has taken it.
 *
 * Invariant: it resolves only when nothing is left to do for the event, so that the position may move over it;
 * whatever is cut off rejects, and comes again.
 */
import type { ClientApi } from '../client/api.js';
import { sendToDevice } from '../client/send-to-device.js';
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { InvalidInputError, MatrixError, RateLimitedError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { gradeUserId, serverNameOf, serverUserOf, type UserId } from '../ids/user-id.js';
import { answerEntries, messageEntry, type LogEntry, type LogOutcome } from '../server/log-entry.js';
import type { RateLimit } from '../server/rate-limit.js';
import type { Dispatched, Dispatcher } from '../subsystems/dispatch.js';
import { batchAnswers, type AnswerBatch, type ServerMessage } from '../subsystems/handler.js';
import { encodeAllMessages } from '../todevice/message.js';
import { parseJson, type JsonText } from '../wire/json.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { isPassing } from './passing.js';
import type { EventOutcome, Metrics } from './metrics.js';

export interface WorkerOptions {
  readonly serverName: ServerName;
  /** Sends as the server user. Must not repeat what fails: that is done here. */
  readonly api: ClientApi;
  readonly dispatcher: Dispatcher;
  /** How often a handler that failed is called again. */
  readonly handlerRetries: number;
  /** How long a handler may be out of reach before that counts as failing; infinite for ever. */
  readonly handlerWaitMs: number;
  readonly rateLimit: RateLimit | undefined;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  readonly metrics: Metrics;
  readonly onEvent: (entry: LogEntry) => void;
  /** Told why a handler failed for good. */
  readonly onFailure: (type: string, reason: string) => void;
  /** Told why the homeserver refused an answer for good. */
  readonly onRefusal: (type: string, error: Error) => void;
}

export interface Worker {
  /**
   * Does all that is to be done for one event.
   *
   * @param txnId of its answer, and the stem of those that more requests need: the same whenever the event comes again
   * @throws the signal's reason; MatrixError with `token_refused` when the homeserver lets the gateway in no more
   */
  work(event: ToDeviceEvent, txnId: string, signal: AbortSignal): Promise<void>;
}

export function createWorker(options: WorkerOptions): Worker {
  const { serverName, api, dispatcher, handlerRetries, handlerWaitMs, rateLimit, clock, chance } = options;
  const { metrics, onEvent, onFailure, onRefusal } = options;
  const serverUser = serverUserOf(serverName);

  function count(message: ServerMessage, outcome: EventOutcome & LogOutcome): void {
    metrics.events[outcome] += 1;
    onEvent(messageEntry(serverUser, message, outcome));
  }

  /** The last outcome: a failure is one when the tries are used up. A handler that is not there uses up none. */
  async function dispatch(message: ServerMessage, signal: AbortSignal): Promise<Dispatched> {
    let failures = 0;
    let waits = 0;
    for (;;) {
      const result = await dispatcher.dispatch(message);
      signal.throwIfAborted(); // what was cut off has not failed
      if (result.outcome !== 'failed') return result;
      if (result.awayMs !== undefined && result.awayMs < handlerWaitMs) {
        await clock.sleep(pauseMs(waits, chance.fraction()), signal);
        waits += 1;
        continue;
      }
      if (failures >= handlerRetries) return result;
      metrics.handlerRetries += 1;
      await clock.sleep(pauseMs(failures, chance.fraction()), signal);
      failures += 1;
    }
  }

  async function answer({ type, messages }: AnswerBatch, txnId: string, signal: AbortSignal): Promise<void> {
    const body = encodeAllMessages(messages);
    const entries = answerEntries(serverUser, { type, messages });
    for (let failures = 0; ; failures += 1) {
      try {
        await sendToDevice(api, { type, txnId, messages: body }, signal);
        break;
      } catch (error) {
        signal.throwIfAborted();
        if (isRefusal(error)) {
          metrics.answers.refused += entries.length;
          onRefusal(type, error);
          return;
        }
        if (!isPassing(error)) throw error;
        metrics.isConnected = false;
        metrics.answerRetries += 1;
        const askedMs = error instanceof RateLimitedError ? error.retryAfterMs : 0;
        await clock.sleep(Math.max(askedMs, pauseMs(failures, chance.fraction())), signal);
      }
    }
    metrics.isConnected = true;
    metrics.answers.accepted += entries.length;
    for (const entry of entries) onEvent(entry);
  }

  return {
    async work(event, txnId, signal) {
      const message = serverMessageOf(event, serverName);
      if (message === undefined) {
        metrics.events.malformed += 1;
        return;
      }
      if ((rateLimit?.take(message.sender) ?? 0) > 0) {
        count(message, 'limited');
        return;
      }
      const result = await dispatch(message, signal);
      if (result.outcome === 'overflow') throw new Error('more events at work than handlers may run');
      count(message, result.outcome);
      if (result.outcome === 'failed') onFailure(message.type, result.reason);
      if (result.outcome !== 'handled') return;
      for (const [index, batch] of batchAnswers(result.answers, message).entries()) {
        await answer(batch, index === 0 ? txnId : `${txnId}.${index}`, signal);
      }
    },
  };
}

/** The event as a handler gets it, or undefined for what no server can handle. The sending device is never known. */
function serverMessageOf(
  { sender, type, content }: ToDeviceEvent,
  own: ServerName,
): ServerMessage | undefined {
  if (sender === undefined || type === undefined || !isObject(content)) return undefined;
  if (!gradeUserId(sender).grammars.historical.valid) return undefined;
  const userId = sender as UserId;
  const via = serverNameOf(userId) === own ? 'client' : 'federation';
  return { sender: userId, type, content, deviceId: undefined, via };
}

/** Not so where it nests too deeply to be read. */
function isObject(content: JsonText): boolean {
  try {
    return parseJson(content).kind === 'object';
  } catch {
    return false;
  }
}

/** The homeserver, or the path of a URL, will never take this answer: it must not hold up all that follow. */
function isRefusal(error: unknown): error is Error {
  if (error instanceof InvalidInputError) return true;
  return error instanceof MatrixError && error.code === 'refused' && !isPassing(error);
}

/** Full jitter, and short: others wait behind, and a homeserver that restarts is missed for seconds only. */
function pauseMs(failures: number, fraction: number): number {
  return Math.round(fraction * Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures));
}

const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 4000;
