/**
 * Where a message goes: into the queues of local devices, to this server's handlers, or to another server.
 *
 * Invariant: a message to this server goes to its handler at once and comes near no store; what the
 * handler does changes nothing for its sender.
 */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { OutboxFullError } from '../federation/outbox-limits.js';
import type { Outbox } from '../federation/outbox.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import type { UserId } from '../ids/user-id.js';
import type { Delivery as QueueEntries, DeviceRef, RequestId, Store } from '../store/store.js';
import type { Dispatcher } from '../subsystems/dispatch.js';
import { batchAnswers, type AnswerBatch, type ServerMessage } from '../subsystems/handler.js';
import type { DirectToDevice } from '../todevice/edu.js';
import { splitMessages, type Messages, type RemoteMessages, type SplitMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';
import { answerEntries, type LogEntry, type LogOutcome } from './log-entry.js';
import { outgoingEdus, whyRejected } from './outgoing.js';
import type { RateLimit } from './rate-limit.js';
import { Refusal, badJson, limitExceeded } from './refusal.js';
import type { Waiters } from './waiters.js';

/** One request of a client to `/sendToDevice`. */
export interface ClientMessage {
  readonly from: DeviceRef;
  readonly type: string;
  readonly messages: Messages;
  /** The path of the request: with the device, what makes a repeat of it a repeat. */
  readonly path: string;
}

export interface DeliveryOptions {
  readonly serverName: ServerName;
  readonly serverUser: UserId;
  readonly store: Store;
  readonly waiters: Waiters;
  readonly dispatcher: Dispatcher;
  readonly outbox: Pick<Outbox, 'wake' | 'retryAfterMs'>;
  readonly rateLimit: RateLimit | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly onEvent: (entry: LogEntry) => void;
  /** Told why a handler failed, which is nobody's business but the operator's. */
  readonly onFailure: (type: string, reason: string) => void;
  /** Told of what should not happen; its sender was answered long ago. */
  readonly onFault: (error: unknown) => void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Accepts what a client sends: puts it into queues and calls handlers before it resolves, but waits for none.
   * @throws Refusal 429 `M_LIMIT_EXCEEDED` (R-34; or too much waits for another server); 400 `M_BAD_JSON` and 413
   *   `M_TOO_LARGE` for what cannot go to another server; all of them before anything is done
   */
  async accept({ from, type, messages, path }: ClientMessage): Promise<void> {
    const sender = from.userId;
    const split = splitMessages(messages, this.#options.serverName);
    const message = serverMessageOf(split, { sender, type, deviceId: from.deviceId, via: 'client' });
    const outgoing = this.#outgoing(split.remote, { sender, type });
    const once = { device: from, path };
    if (message !== undefined) await this.#limit(message, once);
    const entries = { sender, type, messages: split.local, outgoing, once };
    if (await this.#enqueue(entries).catch((error: unknown) => this.#refuseFull(error, message))) {
      if (message !== undefined) this.#log(message, 'duplicate');
      return;
    }
    this.#logRejected(split, { sender, type, via: 'client' });
    if (message !== undefined) this.#handToServer(message);
  }

  /**
   * Accepts an EDU of `origin`, which has proved to be that server, in the same way. What is for others than this
   * server and its users is not ours to pass on.
   *
   * Senders are told nothing of the rate limit, which is one for all users of a server.
   */
  async acceptEdu({ sender, type, messageId, messages }: DirectToDevice, origin: ServerName): Promise<void> {
    const { serverName, clock, rateLimit } = this.#options;
    const via = 'federation';
    const split = splitMessages(objectsIn(messages), serverName);
    // an EDU does not name the device that sent it
    const message = serverMessageOf(split, { sender, type, deviceId: undefined, via });

    const once = { origin, messageId, nowTs: clock.now() };
    if (await this.#enqueue({ sender, type, messages: split.local, once })) {
      if (message !== undefined) this.#log(message, 'duplicate');
      return;
    }
    this.#logRejected(split, { sender, type, via });
    if (message === undefined) return;
    const isLimited = rateLimit !== undefined && rateLimit.take(origin) > 0;
    if (isLimited) this.#log(message, 'limited');
    else this.#handToServer(message);
  }

  /** Resolves when no handler is at work and every answer is in its queue. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** True when it happened before, and nothing happens now. */
  async #enqueue(entries: QueueEntries): Promise<boolean> {
    const { store, waiters, outbox } = this.#options;
    const { repeated, reached } = await store.deliver(entries);
    if (repeated) return true;
    for (const device of reached) waiters.wake(device);
    for (const destination of entries.outgoing?.keys() ?? []) outbox.wake(destination);
    return false;
  }

  #outgoing(
    remote: ReadonlyMap<ServerName, RemoteMessages>,
    from: { readonly sender: UserId; readonly type: string },
  ): QueueEntries['outgoing'] {
    const { edus, rejected } = outgoingEdus(remote, from, this.#options.chance);
    const [first] = rejected;
    if (first === undefined) return edus;
    if (first.reason === 'too_large') throw new Refusal(413, 'M_TOO_LARGE', whyRejected(first));
    throw badJson(whyRejected(first));
  }

  /** A repeat costs nothing: it was accepted, and hears so again. */
  async #limit(message: ServerMessage, once: RequestId): Promise<void> {
    const { rateLimit, store } = this.#options;
    if (rateLimit === undefined || (await store.hasDelivered(once))) return;
    const waitMs = rateLimit.take(message.sender);
    if (waitMs === 0) return;
    this.#log(message, 'limited');
    throw limitExceeded('too many messages to the server', waitMs);
  }

  /** What another server does not take piles up here: what does not fit is left with its sender, who keeps it. */
  #refuseFull(error: unknown, message: ServerMessage | undefined): never {
    if (!(error instanceof OutboxFullError)) throw error;
    if (message !== undefined) this.#log(message, 'limited');
    throw limitExceeded(error.message, this.#options.outbox.retryAfterMs(error.destination));
  }

  #handToServer(message: ServerMessage): void {
    const { onFault } = this.#options;
    const work = this.#serve(message)
      .catch(onFault)
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #serve(message: ServerMessage): Promise<void> {
    const result = await this.#options.dispatcher.dispatch(message);
    this.#log(message, result.outcome);
    if (result.outcome === 'failed') this.#options.onFailure(message.type, result.reason);
    if (result.outcome !== 'handled') return;
    for (const batch of batchAnswers(result.answers, message)) await this.#answer(message.type, batch);
  }

  async #answer(asked: string, { type, messages }: AnswerBatch): Promise<void> {
    const { serverName, serverUser: sender, chance, onFailure, onEvent } = this.#options;
    const { local, remote } = splitMessages(messages, serverName);
    const { edus: outgoing, rejected } = outgoingEdus(remote, { sender, type }, chance);
    const [first] = rejected;
    if (first !== undefined) return onFailure(asked, whyRejected(first));
    try {
      await this.#enqueue({ sender, type, messages: local, outgoing });
    } catch (error) {
      onFailure(asked, `its answer is lost: ${error instanceof Error ? error.message : String(error)}`);
      if (error instanceof OutboxFullError) return;
      throw error;
    }
    for (const entry of answerEntries(sender, { type, messages })) onEvent(entry);
  }

  /** other devices of this server do not exist. */
  #logRejected({ rejected }: SplitMessages, message: Pick<ServerMessage, 'sender' | 'type' | 'via'>): void {
    for (const { userId, deviceId } of rejected) {
      if (userId === this.#options.serverUser && deviceId !== undefined) {
        this.#log(message, 'dropped', deviceId);
      }
    }
  }

  #log(
    { sender, type, via, content }: Pick<ServerMessage, 'sender' | 'type' | 'via'> & { content?: JsonText },
    outcome: LogOutcome,
    device: string = SERVER_DEVICE_ID,
  ): void {
    const { serverUser, onEvent } = this.#options;
    const kept = outcome === 'handled' ? content : undefined;
    onEvent({ direction: 'in', sender, to: serverUser, device, type, via, outcome, content: kept });
  }
}

function serverMessageOf(
  { toServer: content }: SplitMessages,
  from: Omit<ServerMessage, 'content'>,
): ServerMessage | undefined {
  return content && { ...from, content };
}

/** Other servers may send what clients cannot: content is an object, all else is dropped. */
function objectsIn(messages: Messages): Messages {
  return new Map(
    [...messages].map(([userId, devices]) => [
      userId,
      new Map([...devices].filter(([, content]) => content.startsWith('{'))),
    ]),
  );
}
