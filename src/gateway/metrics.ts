/** What the gateway counts, and how it tells Prometheus. Pure. */

/** What became of an event. `malformed` is none that a server could handle: it has no sender, no type, no object. */
export type EventOutcome = 'handled' | 'failed' | 'dropped' | 'limited' | 'malformed';

/** What became of an answer: the homeserver took it, or refused it for good. */
export type AnswerOutcome = 'accepted' | 'refused';

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
  /** The homeserver answered the last request for events, or took the last answer. */
  isConnected: boolean;
}

export function createMetrics(): Metrics {
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
    isConnected: false,
  };
}

/** The metrics in the text format of Prometheus, version 0.0.4. */
export function renderMetrics(metrics: Metrics, nowMs: number): string {
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
      metrics.isConnected ? 1 : 0,
    ),
  ].join('');
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
