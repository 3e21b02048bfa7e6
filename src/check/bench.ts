/**
 * What a probe works with: accounts at the server under test, their devices' queues, perhaps a second server.
 *
 * Everything that is sent holds a nonce of this run, so that what comes of it is known among what else comes.
 */
import type { Chance } from '../chance.js';
import type { ClientApi } from '../client/api.js';
import { sendToDevice } from '../client/send-to-device.js';
import type { Clock } from '../clock.js';
import { SERVER_DEVICE_ID, type DeviceId } from '../ids/device-id.js';
import type { ServerName } from '../ids/server-name.js';
import { serverNameOf, serverUserOf, type UserId } from '../ids/user-id.js';
import { jsonTextOf, type JsonObject } from '../wire/json.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { peekEvents } from './peek.js';
import type { Registrar } from './registrar.js';
import type { SecondServer } from './second-server.js';

/** An account at the server under test, with a device whose queue is in our hands. */
export interface Account {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly api: ClientApi;
  readonly inbox: Inbox;
}

/** The queue of a device, read through `/v3/sync` in order. */
export interface Inbox {
  /**
   * The next batch, as far as it is of this run; the rest is kept for the user. It is acknowledged by the next read.
   * Empty when nothing came within `timeoutMs`.
   */
  read(timeoutMs: number, signal: AbortSignal): Promise<readonly ToDeviceEvent[]>;
  /** Acknowledges what was read. */
  settle(): Promise<void>;
}

export interface BenchOptions {
  readonly account: Account;
  readonly other?: Account | undefined;
  /** With `--federation`. */
  readonly second?: SecondServer | undefined;
  readonly registrar?: Registrar | undefined;
  /** With `--allow-register`: may probes make accounts? */
  readonly mayRegister?: boolean | undefined;
  /** The type that the server under test is said to answer, with the `nonce` of what it got. */
  readonly probeType: string;
  /** Part of every nonce of this run. */
  readonly runId: string;
  /** How long to wait for what should come. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'uuid' | 'fraction'>;
}

/** `messages` of `PUT /sendToDevice`, as plain values: user → device → content. */
export type PlainMessages = Readonly<Record<string, Readonly<Record<string, object>>>>;

/** How to ask. */
export interface Ping {
  /** Default `""`. */
  readonly device?: string;
  /** The content says which device asks; default yes. */
  readonly namesDevice?: boolean;
}

/** An answer, and how long it took from when its message was accepted. */
export interface Answer {
  readonly nonce: string;
  readonly event: ToDeviceEvent;
  readonly afterMs: number;
}

/** What was read of a queue, and whether that was in it which was waited for. */
export interface Collected {
  readonly events: readonly ToDeviceEvent[];
  readonly found: boolean;
}

export class Bench {
  readonly account: Account;
  readonly other: Account | undefined;
  readonly second: SecondServer | undefined;
  readonly registrar: Registrar | undefined;
  readonly mayRegister: boolean;
  readonly probeType: string;
  readonly waitMs: number;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'uuid' | 'fraction'>;
  /** The server under test. */
  readonly serverName: ServerName;
  /** `@:serverName` */
  readonly serverUser: UserId;
  readonly #runId: string;
  readonly #firstTimeoutMs: number;
  #nonces = 0;
  #peeks = 0;
  #hasMailOfSecond = false;
  #answers: Promise<boolean> | undefined;

  constructor(options: BenchOptions) {
    this.account = options.account;
    this.other = options.other;
    this.second = options.second;
    this.registrar = options.registrar;
    this.mayRegister = options.mayRegister ?? false;
    this.probeType = options.probeType;
    this.waitMs = options.waitMs;
    this.clock = options.clock;
    this.chance = options.chance;
    this.serverName = serverNameOf(options.account.userId);
    this.serverUser = serverUserOf(this.serverName);
    this.#runId = options.runId;
    this.#firstTimeoutMs = Math.floor(options.chance.fraction() * MAX_PEEK_TIMEOUT_MS);
  }

  /** A text that is in nothing else: whoever sends it on is known by it. */
  nonce(): string {
    this.#nonces += 1;
    return `${this.#runId}-${String(this.#nonces).padStart(NONCE_DIGITS, '0')}`;
  }

  /**
   * Sends through the client API of the server under test.
   * @throws what `sendToDevice` throws
   */
  async send(
    from: Account,
    type: string,
    messages: PlainMessages,
    signal: AbortSignal,
    txnId: string = this.chance.uuid(),
  ): Promise<void> {
    await sendToDevice(from.api, { type, txnId, messages: jsonTextOf(messages) }, signal);
  }

  /** Sends the probe type to the server user, and gives the nonce that an answer will hold. */
  async ping(
    signal: AbortSignal,
    { device = SERVER_DEVICE_ID, namesDevice = true }: Ping = {},
  ): Promise<string> {
    const nonce = this.nonce();
    const content = namesDevice ? this.pingContent(nonce) : { nonce };
    await this.send(this.account, this.probeType, { [this.serverUser]: { [device]: content } }, signal);
    return nonce;
  }

  /** The content of a message of the probe type. A server that cannot know the device that asks is told. */
  pingContent(nonce: string): { readonly nonce: string; readonly device_id: string } {
    return { nonce, device_id: this.account.deviceId };
  }

  /**
   * Reads on until an event with `nonce` comes, or `waitMs` are over. Gives all events of this run up to the batch
   * that holds it; `found` says whether it came.
   */
  async collect(of: Account, nonce: string, signal: AbortSignal): Promise<Collected> {
    const events: ToDeviceEvent[] = [];
    const deadlineMs = this.clock.monotonic() + this.waitMs;
    for (;;) {
      const leftMs = Math.max(0, deadlineMs - this.clock.monotonic());
      events.push(...(await this.#read(of, Math.ceil(leftMs), signal)));
      if (events.some((event) => holdsNonce(event, nonce))) return { events, found: true };
      if (leftMs === 0) return { events, found: false };
    }
  }

  /** The same, and reads for a short while after it came: what was sent before it may come behind it. */
  async collectPast(of: Account, nonce: string, signal: AbortSignal): Promise<Collected> {
    const { events, found } = await this.collect(of, nonce, signal);
    return { events: found ? [...events, ...(await this.#read(of, LATE_MS, signal))] : events, found };
  }

  /**
   * Is there a second server that no EDU comes from, nor to? Known by the probes that were run: not so where none of them
   * waited for one.
   */
  get isSecondCutOff(): boolean {
    return !this.#hasMailOfSecond && this.second?.heard.isAwaitedInVain === true;
  }

  async #read({ inbox }: Account, timeoutMs: number, signal: AbortSignal): Promise<readonly ToDeviceEvent[]> {
    const events = await inbox.read(timeoutMs, signal);
    const { second } = this;
    this.#hasMailOfSecond ||=
      second !== undefined && events.some(({ sender }) => sender?.endsWith(`:${second.serverName}`) === true);
    return events;
  }

  /** Asks the server under test, and waits for the answer; undefined when none came in time. */
  async ask(signal: AbortSignal, ping?: Ping): Promise<Answer | undefined> {
    const nonce = await this.ping(signal, ping);
    const sentMs = this.clock.monotonic();
    const { events } = await this.collect(this.account, nonce, signal);
    const event = events.find((each) => holdsNonce(each, nonce));
    return event && { nonce, event, afterMs: Math.round(this.clock.monotonic() - sentMs) };
  }

  /**
   * Asks once more, so that what was sent before and did not come until then has not come: the events of this run on
   * the way to the answer, and of a short while after it. Undefined when no answer came.
   */
  async askLater(signal: AbortSignal): Promise<readonly ToDeviceEvent[] | undefined> {
    const { events, found } = await this.collectPast(this.account, await this.ping(signal), signal);
    return found ? events : undefined;
  }

  /**
   * Is a question answered that is asked in another way than the usual one, which is asked after it? It is asked twice
   * before the answer is no: one message may get lost, and one answer may come late. Undefined when not even the usual
   * question was answered.
   */
  async isAnswered(signal: AbortSignal, ping: Ping): Promise<boolean | undefined> {
    const nonces: string[] = [];
    const isIn = (events: readonly ToDeviceEvent[]): boolean =>
      nonces.some((nonce) => countWith(nonce, events) > 0);
    for (let times = 0; times < 2; times += 1) {
      const nonce = await this.ping(signal, ping);
      nonces.push(nonce);
      if (isIn((await this.collect(this.account, nonce, signal)).events)) return true;
      const later = await this.askLater(signal);
      if (later === undefined) return undefined;
      if (isIn(later)) return true;
    }
    return false;
  }

  /** What waits in the queue of an account, as it came; nothing of it is acknowledged. */
  peek({ api }: Account, signal: AbortSignal): Promise<readonly JsonObject[]> {
    this.#peeks += 1;
    return peekEvents(api, ((this.#firstTimeoutMs + this.#peeks) % MAX_PEEK_TIMEOUT_MS) + 1, signal);
  }

  /** Is the event of this run, of whatever probe? */
  isOfThisRun(event: ToDeviceEvent): boolean {
    return holdsNonce(event, this.#runId);
  }

  /** Does the server under test answer the probe type at all? Found out once. */
  answers(signal: AbortSignal): Promise<boolean> {
    this.#answers ??= this.ask(signal).then((answer) => answer !== undefined);
    this.#answers.catch(() => (this.#answers = undefined));
    return this.#answers;
  }
}

/** Does the event hold this nonce anywhere? A nonce has no character that JSON would escape. */
export function holdsNonce(event: ToDeviceEvent, nonce: string): boolean {
  return event.content.includes(nonce);
}

/** How many of the events hold this nonce? */
export function countWith(nonce: string, events: readonly ToDeviceEvent[]): number {
  return events.filter((event) => holdsNonce(event, nonce)).length;
}

const NONCE_DIGITS = 5;
/** There are servers that wait so long. */
const MAX_PEEK_TIMEOUT_MS = 1000;
/** For what comes behind something that was sent after it: handlers and servers may work on several at once. */
export const LATE_MS = 200;
