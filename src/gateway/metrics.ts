/** What the gateway counts, and how it tells Prometheus. Pure. */

/** What became of an event. `malformed` is none that a server could handle: it has no sender, no type, no object. */
export type EventOutcome = 'handled' | 'failed' | 'dropped' | 'limited' | 'malformed';

/** What became of an answer: the homeserver took it, or refused it for good. */
export type AnswerOutcome = 'accepted' | 'refused';

/** What became of a message that came from a queue group. */
export type QueueOutcome = Extract<EventOutcome, 'handled' | 'failed' | 'dropped' | 'malformed'>;

/** What has happened since the start. Plain counters, for one writer. */
export interface Metrics {
  readonly events: Record<EventOutcome, number>;
  readonly answers: Record<AnswerOutcome, number>;
  /** Handlers that were called again. */
  handlerRetries: number;
  /** Answers that were sent again. */
  answerRetries: number;
  /** Requests for events that failed. */
  syncFailures: number;
  logins: number;
  /** Events that were read and are not done with. */
  waiting: number;
  /** Since when the oldest of them waits here, in milliseconds since the Unix epoch. */
  waitingSinceMs: number | undefined;
  /** The last good answer to a request for events, in milliseconds since the Unix epoch. */
  lastSyncMs: number | undefined;
  /**
   * The homeserver answered the last request for events, or took the last answer. Undefined where no device is read,
   * by one that is a member of a queue group and nothing else.
   */
  isConnected: boolean | undefined;
  /** The URLs of handlers that could not be reached the last time. */
  readonly unreachable: Set<string>;
  /** As a member of a queue group. */
  readonly queue: {
    readonly events: Record<QueueOutcome, number>;
    /** In how many subjects it is to take part, and in how many it does. */
    subjects: number;
    joined: number;
  };
}

/** @param isReader false for one that only is a member of a queue group */
export function createMetrics(isReader = true): Metrics {
  return {
    events: { handled: 0, failed: 0, dropped: 0, limited: 0, malformed: 0 },
    answers: { accepted: 0, refused: 0 },
    handlerRetries: 0,
    answerRetries: 0,
    syncFailures: 0,
    logins: 0,
    waiting: 0,
    waitingSinceMs: undefined,
    lastSyncMs: undefined,
    isConnected: isReader ? false : undefined,
    unreachable: new Set(),
    queue: { events: { handled: 0, failed: 0, dropped: 0, malformed: 0 }, subjects: 0, joined: 0 },
  };
}

/** What is missing for messages to be handled; undefined when nothing is. */
export function missingFor({ isConnected, unreachable, queue }: Metrics): string | undefined {
  if (isConnected === false) return 'the homeserver does not answer';
  if (queue.joined < queue.subjects) return 'NATS does not answer';
  return unreachable.size > 0 ? `cannot be reached: ${[...unreachable].join(', ')}` : undefined;
}

/** The metrics in the text format of Prometheus, version 0.0.4. */
export function renderMetrics(metrics: Metrics, nowMs: number): string {
  const families = metrics.isConnected === undefined ? [] : readerFamilies(metrics, nowMs);
  const unreachable = family(
    'unreachable_handlers',
    'gauge',
    'Handlers that could not be reached the last time.',
    metrics.unreachable.size,
  );
  return [...families, unreachable, ...queueFamilies(metrics)].join('');
}

function readerFamilies(metrics: Metrics, nowMs: number): string[] {
  const { waitingSinceMs, lastSyncMs } = metrics;
  return [
    family('events_total', 'counter', 'Events addressed to the server, by outcome.', metrics.events),
    family('answers_total', 'counter', 'Answers of the server, by outcome.', metrics.answers),
    family('handler_retries_total', 'counter', 'Handlers that were called again.', metrics.handlerRetries),
    family('answer_retries_total', 'counter', 'Answers that were sent again.', metrics.answerRetries),
    family('sync_failures_total', 'counter', 'Requests for events that failed.', metrics.syncFailures),
    family('logins_total', 'counter', 'Logins as the server user.', metrics.logins),
    family('waiting_events', 'gauge', 'Events read and not done with.', metrics.waiting),
    family(
      'lag_seconds',
      'gauge',
      'How long the oldest event that was read has been waiting.',
      waitingSinceMs === undefined ? 0 : seconds(nowMs - waitingSinceMs),
    ),
    family(
      'last_sync_timestamp_seconds',
      'gauge',
      'When the homeserver last answered a request for events.',
      seconds(lastSyncMs ?? 0),
    ),
    family(
      'connected',
      'gauge',
      'The homeserver answered the last time it was asked.',
      metrics.isConnected === true ? 1 : 0,
    ),
  ];
}

function queueFamilies({ queue }: Metrics): string[] {
  return [
    family(
      'queue_events_total',
      'counter',
      'Messages that came from a queue group, by outcome.',
      queue.events,
    ),
    family('queue_subjects', 'gauge', 'Subjects in which it is to take part.', queue.subjects),
    family('queue_joined', 'gauge', 'Subjects in which it does take part.', queue.joined),
  ];
}

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: number | Readonly<Record<string, number>>,
): string {
  const full = `mx2s_gateway_${name}`;
  const samples =
    typeof value === 'number'
      ? [`${full} ${value}`]
      : Object.entries(value).map(([outcome, count]) => `${full}{outcome="${outcome}"} ${count}`);
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...samples, ''].join('\n');
}

function seconds(ms: number): number {
  return Math.max(0, ms) / 1000;
}
