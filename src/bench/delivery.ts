/**
 * How long a message takes from its sender to where it is read: sends at a pace, reads the queue it arrives in, and
 * keeps what else comes for its owner.
 *
 * One process does both, so that one clock measures: no two machines have to agree on the time.
 */
import type { Chance } from '../chance.js';
import { readBacklog } from '../listen/backlog.js';
import type { OpenBatch } from '../listen/open-batch.js';
import type { QueueReader } from '../listen/queue-reader.js';
import { jsonTextOf, numberMember, parseJson, stringMember, type JsonText } from '../wire/json.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { Histogram } from './histogram.js';
import { runLoad, type Load, type LoadResult } from './load.js';

export interface Delivery extends Omit<Load, 'work'> {
  /** Of the queue that the messages arrive in. */
  readonly reader: QueueReader;
  /** Stores events for the next `listen`; they are in the file when it returns. */
  keep(events: readonly ToDeviceEvent[]): void;
  /** Sends one message of the type `DELIVERY_TYPE`, and resolves when it was accepted. */
  send(content: JsonText, signal: AbortSignal): Promise<void>;
  /** How long to wait for what did not come yet when the last one was accepted. */
  readonly graceMs: number;
  readonly chance: Pick<Chance, 'uuid'>;
}

export interface DeliveryResult {
  /** What became of the sending; its latency is that of the requests. */
  readonly sent: LoadResult;
  /** How many messages were read. */
  readonly received: number;
  /** How many were accepted and not read in time. */
  readonly missing: number;
  /** From the first request to the last event that was read; no less than the sending took. */
  readonly elapsedMs: number;
  /** From the begin of the request to when its event was read. */
  readonly latency: Histogram;
}

/** The type of the messages: ours, and of no use to anybody else. */
export const DELIVERY_TYPE = 'mx2s.bench.delivery';

/**
 * Reads what waits, then sends and reads until every message was read, or nobody waits for it any longer.
 * @throws what the reader and `keep` throw; what is a bug
 */
export async function measureDelivery(delivery: Delivery): Promise<DeliveryResult> {
  const { reader, keep, clock, signal } = delivery;
  await readBacklog(reader, signal, ({ waiting }) => {
    if (waiting.length > 0) keep(waiting);
  });
  const startedMs = clock.monotonic();
  const arrivals = new Arrivals(delivery);
  const unread = new AbortController();
  const reading = arrivals.read();
  const sending = runLoad({
    ...delivery,
    signal: AbortSignal.any([signal, unread.signal]),
    work: (number, within) => arrivals.expect(number, (content) => delivery.send(content, within)),
    onProgress: () => undefined, // what was read is counted
  });
  reading.catch((error: unknown) => unread.abort(error)); // nobody reads what would be sent from now on
  sending.then(
    () => arrivals.noMoreAreSent(),
    () => arrivals.stop(),
  );
  await Promise.allSettled([reading, sending]);
  await reading;
  const sent = await sending;
  await reader.acknowledge();
  const { latency, missing, lastReadMs } = arrivals;
  const elapsedMs = Math.max(sent.elapsedMs, lastReadMs - startedMs);
  return { sent, received: latency.count, missing, elapsedMs, latency };
}

/** Which messages are under way, and how long those took that arrived. */
class Arrivals {
  readonly latency = new Histogram();
  /** On the monotonic clock; before everything else until something came. */
  lastReadMs = -Infinity;
  readonly #delivery: Delivery;
  readonly #run: string;
  /** By number: when its request began. */
  readonly #underWay = new Map<number, number>();
  readonly #over = new AbortController();
  #areAllSent = false;

  constructor(delivery: Delivery) {
    this.#delivery = delivery;
    this.#run = delivery.chance.uuid();
  }

  get missing(): number {
    return this.#underWay.size;
  }

  /** Sends message `number` and waits for its event; not if it fails, for then nobody knows whether one comes. */
  async expect(number: number, send: (content: JsonText) => Promise<void>): Promise<void> {
    const { clock } = this.#delivery;
    const content = jsonTextOf({ run: this.#run, number, sent_ts: Math.floor(clock.now()) });
    this.#underWay.set(number, clock.monotonic());
    try {
      await send(content);
    } catch (error) {
      this.#underWay.delete(number);
      throw error;
    }
  }

  /** Reads until all came, or nobody waits any longer. */
  async read(): Promise<void> {
    const stop = AbortSignal.any([this.#delivery.signal, this.#over.signal]);
    try {
      for (;;) {
        stop.throwIfAborted();
        this.#take(await this.#delivery.reader.read(POLL_MS, stop));
      }
    } catch (error) {
      if (!stop.aborted || error !== stop.reason) throw error;
    }
  }

  /** What did not come yet has so long to come. */
  noMoreAreSent(): void {
    const { clock, graceMs } = this.#delivery;
    this.#areAllSent = true;
    this.#stopIfAllCame();
    clock.sleep(graceMs, this.#over.signal).then(
      () => this.stop(),
      () => undefined,
    );
  }

  stop(): void {
    this.#over.abort();
  }

  #take(batch: OpenBatch): void {
    const { reader, keep, clock } = this.#delivery;
    const readMs = clock.monotonic();
    const { waiting } = batch;
    const others = waiting.filter((event) => !this.#isOurs(event, readMs));
    if (others.length > 0) keep(others);
    reader.advance(batch, waiting.length);
    this.#stopIfAllCame();
  }

  #isOurs(event: ToDeviceEvent, readMs: number): boolean {
    const number = numberIn(event, this.#run);
    if (number === undefined) return false;
    const begunMs = this.#underWay.get(number);
    if (begunMs === undefined) return true; // it came before, or its request failed
    this.#underWay.delete(number);
    this.latency.add(readMs - begunMs);
    this.lastReadMs = readMs;
    this.#delivery.onProgress(this.latency.count);
    return true;
  }

  #stopIfAllCame(): void {
    if (this.#areAllSent && this.#underWay.size === 0) this.stop();
  }
}

/** The number of a message of this run; undefined for any other event. */
function numberIn({ type, content }: ToDeviceEvent, run: string): number | undefined {
  if (type !== DELIVERY_TYPE) return undefined;
  const node = parseJson(content);
  return stringMember(node, 'run') === run ? numberMember(node, 'number') : undefined;
}

/** How long the server may hold a request (Client-Server API v1.19, "GET /sync", `timeout`). */
const POLL_MS = 30_000;
