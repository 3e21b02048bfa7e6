/** Many requests of one user to the server user, and their answers, counted while servers come and go. */
import { call, syncOnce, type Session } from './matrix.js';

export interface FlowEnd {
  /** Requests that had no answer. */
  readonly lost: number;
  /** Answers beyond the first. */
  readonly doubled: number;
}

/**
 * Sends numbered requests, several at a time, each under one transaction ID until the homeserver takes it, and reads
 * answers with the same number.
 */
export class Flow {
  readonly #session: Session;
  readonly #to: string;
  readonly #count: number;
  readonly #answers = new Map<number, number>();
  #watchers: (() => void)[] = [];
  #sent = 0;
  /** How often the homeserver came back, and when it last did. */
  #returns = 0;
  #returnedMs = -Infinity;
  /** Done when the homeserver is there. */
  #outage: Promise<void> = Promise.resolve();
  #work: Promise<unknown> = Promise.resolve();

  private constructor(session: Session, to: string, count: number) {
    this.#session = session;
    this.#to = to;
    this.#count = count;
  }

  /** Begins to send `count` requests to `to`. */
  static async start(session: Session, to: string, count: number): Promise<Flow> {
    const flow = new Flow(session, to, count);
    const { nextBatch } = await syncOnce(session, { timeoutMs: 0 });
    let next = 0;
    const send = async (): Promise<void> => {
      while (next < count) await flow.#send(next++);
    };
    flow.#work = Promise.all([flow.#receive(nextBatch), ...Array.from({ length: IN_FLIGHT }, send)]);
    return flow;
  }

  /** How many requests are answered. */
  get answeredCount(): number {
    return this.#answers.size;
  }

  /** Resolves when so many requests are answered; rejects when no more answers come. */
  async answered(count: number): Promise<void> {
    let isOver = false;
    const over = this.#work.then(() => void (isOver = true));
    while (this.#answers.size < count) {
      if (isOver) throw new Error(`only ${String(this.#answers.size)} of ${String(count)} answers have come`);
      await Promise.race([over, new Promise<void>((resolve) => this.#watchers.push(resolve))]);
    }
  }

  /** Takes the homeserver away: whoever fails meanwhile waits until `work` has brought it back, and tries again. */
  async during(work: () => Promise<void>): Promise<void> {
    this.#outage = work().then(() => {
      this.#returns += 1;
      this.#returnedMs = Date.now();
    });
    await this.#outage;
  }

  /** Resolves when no more answers come; rejects when something else than an outage went wrong. */
  async end(): Promise<FlowEnd> {
    await this.#work;
    const answers = [...this.#answers.values()].reduce((sum, each) => sum + each, 0);
    return { lost: this.#count - this.#answers.size, doubled: answers - this.#answers.size };
  }

  async #send(n: number): Promise<void> {
    const { baseUrl, accessToken, deviceId } = this.#session;
    const url = `${baseUrl}/_matrix/client/v3/sendToDevice/org.example.flow/${crypto.randomUUID()}`;
    const body = { messages: { [this.#to]: { '': { n, device_id: deviceId } } } };
    await this.#retried(() => call('PUT', url, { token: accessToken, body }));
    this.#sent += 1;
  }

  /** Reads until all are answered and nothing more is there, or until everything was sent and it stays quiet. */
  async #receive(start: string): Promise<void> {
    let heardMs = Date.now();
    for (let since = start; ;) {
      const isComplete = this.#answers.size === this.#count;
      const isSent = this.#sent === this.#count;
      const timeoutMs = isComplete ? 0 : QUIET_MS;
      const batch = await this.#retried(() => syncOnce(this.#session, { timeoutMs, since }));
      since = batch.nextBatch;
      if (batch.events.length > 0) heardMs = Date.now();
      for (const { sender, content } of batch.events) {
        const n = Number(content['n']);
        if (sender === this.#to) this.#answers.set(n, (this.#answers.get(n) ?? 0) + 1);
      }
      for (const wake of this.#watchers.splice(0)) wake();
      // an empty batch alone means nothing: a homeserver that stops or starts has no patience
      const isOver = isComplete || (isSent && Date.now() - heardMs >= QUIET_MS);
      if (isOver && batch.events.length === 0) return;
    }
  }

  /** Tries again what failed while the homeserver was away. */
  async #retried<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      const before = this.#returns;
      try {
        return await attempt();
      } catch (error) {
        await this.#outage;
        const isAftermath = Date.now() - this.#returnedMs < AFTERMATH_MS;
        if (this.#returns === before && !isAftermath) throw error; // it was there all the time
      }
    }
  }
}

const IN_FLIGHT = 8;
const QUIET_MS = 20_000;
/** A database that was away leaves connections behind each of which fails once. */
const AFTERMATH_MS = 5000;
