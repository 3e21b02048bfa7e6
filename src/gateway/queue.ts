/** Taking part in a queue group: joins it on each subject, and again whenever the line goes down. */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { NetworkError } from '../errors.js';
import { backoffMs } from '../http/retry.js';
import type { Dispatcher } from '../subsystems/dispatch.js';
import type { Nats, NatsMembership } from '../subsystems/nats-connections.js';
import { renderNatsUrl, type NatsService } from '../subsystems/nats.js';
import type { Metrics } from './metrics.js';
import type { QueueMember } from './queue-member.js';
import { runTogether } from './together.js';

export interface QueueOptions {
  readonly nats: Pick<Nats, 'join'>;
  readonly queue: string;
  readonly services: readonly NatsService[];
  readonly member: QueueMember;
  /** That of the member. It is closed at the end. */
  readonly dispatcher: Dispatcher;
  /** How often a failure is repeated before a subject was joined for the first time; infinite for ever. */
  readonly retries: number;
  readonly metrics: Metrics;
  /** When every subject was joined. */
  onReady(): Promise<void>;
  /** The first failure of an outage, and its end. */
  readonly report: { down(error: Error): void; up(): void };
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  /** Ends the run: what is at work is brought to its end, if that takes no longer than a moment. */
  readonly signal: AbortSignal;
}

/**
 * Takes part until the signal aborts.
 * @throws NetworkError when a subject cannot be joined; what `onReady` throws
 */
export async function runQueue(options: QueueOptions): Promise<void> {
  const { services, dispatcher, metrics, onReady, clock, signal } = options;
  const over = new AbortController();
  const onAbort = (): void => {
    void clock.sleep(GRACE_MS, over.signal).then(
      () => dispatcher.close(),
      () => undefined, // everything came to its end in time
    );
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  metrics.queue.subjects = services.length;
  let missing = services.length;
  const onJoined = async (): Promise<void> => {
    missing -= 1;
    if (missing === 0) await onReady();
  };
  try {
    await runTogether(
      services.map((service) => (stop) => takePart(service, options, onJoined, stop)),
      signal,
    );
  } finally {
    signal.removeEventListener('abort', onAbort);
    over.abort();
    await dispatcher.close();
  }
}

/** Takes part in one subject until the signal aborts. */
async function takePart(
  service: NatsService,
  options: QueueOptions,
  onFirstJoined: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { nats, queue, member, retries, metrics, report, clock, chance } = options;
  const aborted = new Promise<string>((resolve) => {
    signal.addEventListener('abort', () => resolve('it stops'), { once: true });
  });
  let hasJoined = false;
  let failures = 0;

  /** Joins, and gives the reason why it is a member no more. */
  const join = async (): Promise<Error> => {
    let membership: NatsMembership;
    try {
      membership = await nats.join(service, queue, member);
    } catch (error) {
      return error as Error;
    }
    if (failures > 0) report.up();
    failures = 0;
    metrics.queue.joined += 1;
    try {
      if (!hasJoined) await onFirstJoined();
      hasJoined = true;
      return new Error(await Promise.race([membership.over, aborted]));
    } finally {
      metrics.queue.joined -= 1;
      // what is at work when the line goes down has nobody to reply to, and is not waited for
      if (signal.aborted) await membership.leave();
    }
  };

  while (!signal.aborted) {
    const error = await join();
    if (signal.aborted) return;
    if (!hasJoined && failures >= retries) throw notJoined(service, error);
    if (failures === 0) report.down(error);
    await clock.sleep(backoffMs(failures, chance.fraction()), signal).catch(() => undefined);
    failures += 1;
  }
}

function notJoined(service: NatsService, cause: Error): NetworkError {
  const url = renderNatsUrl(service);
  return new NetworkError({ method: 'SUB', url }, `cannot take messages from ${url}: ${cause.message}`, {
    cause,
  });
}

/** A signal is answered within two seconds. */
const GRACE_MS = 1000;
