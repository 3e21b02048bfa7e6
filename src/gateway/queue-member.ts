/**
 * A member of a queue group: handles what a gateway has read and hands over, and gives it the answers.
 *
 * It keeps nothing and repeats nothing: who asked asks again when a member fails or dies, and sends the answers.
 */
import type { ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';
import { messageEntry, type LogEntry } from '../server/log-entry.js';
import { encodeAnswers, parseServerMessage } from '../subsystems/answering.js';
import type { Dispatcher } from '../subsystems/dispatch.js';
import type { NatsReply } from '../subsystems/nats-connections.js';
import type { Metrics } from './metrics.js';

export interface QueueMemberOptions {
  /** Whose messages these are. */
  readonly serverName: ServerName;
  readonly dispatcher: Dispatcher;
  /** How many messages are worked on at a time; the others wait, in order. */
  readonly concurrency: number;
  readonly metrics: Metrics;
  readonly onEvent: (entry: LogEntry) => void;
  /** Told why a handler failed. */
  readonly onFailure: (type: string, reason: string) => void;
}

/** Answers one message, as `encodeServerMessage` wrote it. Never rejects. */
export type QueueMember = (text: string) => Promise<NatsReply>;

export function createQueueMember(options: QueueMemberOptions): QueueMember {
  const { serverName, dispatcher, concurrency, metrics, onEvent, onFailure } = options;
  const serverUser = serverUserOf(serverName);
  const takeTurn = createTurns(concurrency);

  return async (text) => {
    let message;
    try {
      message = parseServerMessage(text);
    } catch (error) {
      metrics.queue.events.malformed += 1;
      return fault((error as Error).message);
    }
    const result = await takeTurn(() => dispatcher.dispatch(message));
    if (result.outcome === 'overflow') return fault('it stops');
    metrics.queue.events[result.outcome] += 1;
    onEvent(messageEntry(serverUser, message, result.outcome));
    if (result.outcome === 'handled') return { text: encodeAnswers(result.answers) };
    if (result.outcome === 'failed') {
      onFailure(message.type, result.reason);
      return fault(result.reason);
    }
    return fault(`no handler takes ${message.type} here`); // another member may have one
  };
}

function fault(why: string): NatsReply {
  return { text: '', fault: why };
}

/** Lets so many work at a time, in the order in which they came. */
function createTurns(count: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = count;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
