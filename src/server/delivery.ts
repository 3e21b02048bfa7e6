/**
 * Where a message goes: into the queues of local devices, to this server's handlers, or to another server.
 *
 * Invariant: a message to this server goes to its handler at once and comes near no store; what the
 * handler does changes nothing for its sender.
 */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import { serverNameOf, type UserId } from '../ids/user-id.js';
import type { DeviceRef, Store } from '../store/store.js';
import type { Dispatcher } from '../subsystems/dispatch.js';
import { answerDevice, type Answer, type ServerMessage } from '../subsystems/handler.js';
import { splitMessages, type Messages, type SplitMessages, type UserMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';
import type { LogEntry, LogOutcome } from './log-entry.js';
import type { RateLimit } from './rate-limit.js';
import { Refusal } from './refusal.js';
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
  readonly rateLimit: RateLimit | undefined;
  readonly onEvent: (entry: LogEntry) => void;
  /** Told why a handler failed, which is nobody's business but the operator's. */
  readonly onFailure: (type: string, reason: string) => void;
  /** Told of what should not happen; its sender was answered long ago. */
  readonly onBug: (error: unknown) => void;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #underWay = new Set<Promise<void>>();
  #remoteDropped = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /**
   * Accepts what a client sends: puts it into queues and calls handlers before it resolves, but waits for none.
   * @throws Refusal 429 `M_LIMIT_EXCEEDED`
   */
  async accept({ from, type, messages, path }: ClientMessage): Promise<void> {
    const { serverName, serverUser, store, waiters } = this.#options;
    const split = splitMessages(messages, serverName);
    const message = serverMessageOf(split, from, type);
    if (message !== undefined) this.#limit(message);

    const once = { device: from, path };
    const { repeated, reached } = await store.deliver({
      sender: from.userId,
      type,
      messages: split.local,
      once,
    });
    if (repeated) {
      if (message !== undefined) this.#log(message, 'duplicate');
      return;
    }
    for (const device of reached) waiters.wake(device);
    this.#forward(split);
    for (const { userId, deviceId } of split.rejected) {
      if (userId === serverUser && deviceId !== undefined) {
        this.#log({ sender: from.userId, type, via: 'client' }, 'dropped', deviceId);
      }
    }
    if (message !== undefined) this.#handToServer(message);
  }

  /** Messages to other servers that were accepted and dropped. */
  get remoteDropped(): number {
    return this.#remoteDropped;
  }

  /** Resolves when no handler is at work and every answer is in its queue. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #limit(message: ServerMessage): void {
    const waitMs = this.#options.rateLimit?.take(message.sender) ?? 0;
    if (waitMs === 0) return;
    this.#log(message, 'limited');
    throw new Refusal(429, 'M_LIMIT_EXCEEDED', 'too many messages to the server', {
      fields: { retry_after_ms: waitMs },
      headers: { 'retry-after': String(Math.ceil(waitMs / 1000)) },
    });
  }

  /** The seam for federation: until there is one, what is for other servers is counted and dropped. */
  #forward({ remote }: SplitMessages): void {
    for (const users of remote.values()) {
      for (const devices of users.values()) this.#remoteDropped += devices.size;
    }
  }

  #handToServer(message: ServerMessage): void {
    const { onBug } = this.#options;
    const work = this.#serve(message)
      .catch(onBug)
      .finally(() => this.#underWay.delete(work));
    this.#underWay.add(work);
  }

  async #serve(message: ServerMessage): Promise<void> {
    const result = await this.#options.dispatcher.dispatch(message);
    this.#log(message, result.outcome);
    if (result.outcome === 'failed') this.#options.onFailure(message.type, result.reason);
    if (result.outcome === 'handled' && result.answer !== undefined)
      await this.#answer(message, result.answer);
  }

  async #answer(message: ServerMessage, { type, content }: Answer): Promise<void> {
    const { serverName, serverUser, store, waiters, onEvent } = this.#options;
    const device = answerDevice(message);
    // a sender elsewhere is answered over federation, which has its seam in #forward
    if (device === undefined || serverNameOf(message.sender) !== serverName) return;
    const messages = [addressedTo(message.sender, device, content)];
    const { reached } = await store.deliver({ sender: serverUser, type, messages });
    for (const each of reached) waiters.wake(each);
    const direction = 'out';
    const outcome = 'handled';
    const to = message.sender;
    onEvent({ direction, sender: serverUser, to, device, type, via: message.via, outcome, content });
  }

  #log(
    { sender, type, via, content }: Pick<ServerMessage, 'sender' | 'type' | 'via'> & { content?: JsonText },
    outcome: LogOutcome,
    device: string = SERVER_DEVICE_ID,
  ): void {
    this.#options.onEvent({
      direction: 'in',
      sender,
      to: this.#options.serverUser,
      device,
      type,
      via,
      outcome,
      content: outcome === 'handled' ? content : undefined,
    });
  }
}

function serverMessageOf(split: SplitMessages, from: DeviceRef, type: string): ServerMessage | undefined {
  const content = split.toServer;
  return content && { sender: from.userId, deviceId: from.deviceId, type, content, via: 'client' };
}

function addressedTo(
  userId: UserId,
  device: DeviceRef['deviceId'] | typeof WILDCARD_DEVICE,
  content: JsonText,
): UserMessages {
  if (device === WILDCARD_DEVICE) return { userId, named: new Map(), others: content };
  return { userId, named: new Map([[device as DeviceRef['deviceId'], content]]), others: undefined };
}
