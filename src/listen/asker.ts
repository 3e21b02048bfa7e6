/**
 * `request`: sends, waits for the answer, and loses nothing else that comes meanwhile.
 *
 * An answer cannot be told from an older event of the same kind but by when it was read. So everything that
 * waits is read first and kept in the spool; what comes from then on can be an answer.
 */
import type { Clock } from '../clock.js';
import type { ServerName } from '../ids/server-name.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import { receivedEvent, type ReceivedEvent } from '../todevice/received.js';
import { readBacklog } from './backlog.js';
import type { OpenBatch } from './open-batch.js';
import type { QueueReader } from './queue-reader.js';
import { PRINT_GRACE_MS, TimeUp, unlessStopped, withinTime } from './time-limit.js';

export interface AskerOptions {
  readonly reader: QueueReader;
  /** Of the user that we are. */
  readonly ownServer: ServerName;
  /** Stores events for the next `listen`; they are in the file when it returns. */
  keep(events: readonly ToDeviceEvent[]): void;
  /** Resolves when the homeserver accepted the message. */
  send(signal: AbortSignal): Promise<void>;
  isAnswer(event: ToDeviceEvent): boolean;
  /** Resolves when the kernel has taken the answer. */
  print(answer: ReceivedEvent): Promise<void>;
  /** How many answers to wait for. */
  readonly replies: number;
  /** How long, from when the message was accepted. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Asks, and resolves with how many answers came in time, each printed before the position moved behind it.
 * @throws what the reader, `send`, `keep` and `print` throw; the signal's reason
 */
export async function ask(options: AskerOptions): Promise<number> {
  const { reader, keep, send, timeoutMs, clock, signal } = options;
  const answers = new Answers(options);
  await readBacklog(reader, signal, ({ waiting }) => {
    if (waiting.length > 0) keep(waiting);
  });
  await send(signal);
  const deadlineMs = clock.monotonic() + timeoutMs;
  try {
    await withinTime({ clock, deadlineMs, signal }, async (within) => {
      while (!answers.isComplete) {
        within.throwIfAborted(); // a server that always has something must not keep us
        const pollMs = Math.ceil(Math.min(POLL_MS, Math.max(0, deadlineMs - clock.monotonic())));
        await answers.takeFrom(await reader.read(pollMs, within), within);
      }
    });
  } catch (error) {
    if (!(error instanceof TimeUp) && error !== signal.reason) throw error;
  }
  await reader.acknowledge();
  if (!answers.isComplete) signal.throwIfAborted();
  return answers.count;
}

class Answers {
  readonly #options: AskerOptions;
  count = 0;

  constructor(options: AskerOptions) {
    this.#options = options;
  }

  get isComplete(): boolean {
    return this.count >= this.#options.replies;
  }

  /** Prints the answers of a batch and keeps the rest, up to the last answer that is waited for. */
  async takeFrom(batch: OpenBatch, signal: AbortSignal): Promise<void> {
    const { reader, ownServer, keep, isAnswer, print, clock } = this.#options;
    const receivedTs = clock.now();
    const others: ToDeviceEvent[] = [];
    const keepOthers = (): void => {
      if (others.length === 0) return;
      keep(others);
      reader.advance(batch, others.length);
      others.length = 0;
    };
    for (const event of batch.waiting) {
      if (!isAnswer(event)) {
        others.push(event);
        continue;
      }
      keepOthers();
      const printed = print(receivedEvent(event, ownServer, receivedTs));
      await unlessStopped(printed, { clock, signal, graceMs: PRINT_GRACE_MS });
      reader.advance(batch, 1);
      this.count += 1;
      if (this.isComplete) return;
    }
    keepOthers();
  }
}

const POLL_MS = 30_000;
