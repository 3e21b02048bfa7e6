/** What a gateway needs in whichever role it plays: handlers, NATS, its counts, its log and its health. */
import type { ServerName } from '../ids/server-name.js';
import { openHealth } from '../gateway/health.js';
import type { Metrics } from '../gateway/metrics.js';
import { createDispatcher, type Dispatcher, type ReachReport } from '../subsystems/dispatch.js';
import {
  openNats,
  parseNatsCredentials,
  type Nats,
  type NatsCredentials,
} from '../subsystems/nats-connections.js';
import { openTable, type HandlerRule } from '../subsystems/table.js';
import { readTextFrom } from '../ui/file-input.js';
import type { Context } from './context.js';
import { openEventLog, type EventLog } from './event-log.js';
import type { HandlerOptions } from './handler-options.js';

export interface StageOptions extends HandlerOptions {
  readonly healthPort: number | undefined;
  readonly logFile: string | undefined;
}

export interface Stage {
  readonly nats: Nats;
  readonly log: EventLog;
  /** Opens the handlers of a table. */
  openDispatcher(rules: readonly HandlerRule[], server: ServerName): Dispatcher;
  /** Aborts when the program is to end, or its log cannot be written. */
  readonly signal: AbortSignal;
}

/**
 * Opens a stage, works there, and closes it.
 * @throws what `work` throws, and UsageError, UnreadableFileError, InvalidInputError, DiskError of its own
 */
export async function onStage(
  context: Context,
  options: StageOptions,
  metrics: Metrics,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  const { clock, signal, talk } = context;
  const { healthPort, handlerTimeoutMs: timeoutMs } = options;
  const nats = openNats({ credentials: await readNatsCredentials(context, options), timeoutMs });
  try {
    const log = openEventLog(context, { logFile: options.logFile, toStdout: true });
    try {
      const health = healthPort === undefined ? undefined : await openHealth(healthPort, metrics, clock);
      if (health !== undefined) talk.notice(`health on http://127.0.0.1:${health.port}`);
      try {
        const openHandlers: Stage['openDispatcher'] = (rules, server) =>
          openDispatcher(context, options, { nats, reach: reachReport(context, metrics) }, rules, server);
        await work({ nats, log, openDispatcher: openHandlers, signal: whileWritten(log, signal) });
      } finally {
        await health?.close();
      }
    } finally {
      await log.close();
    }
  } finally {
    await nats.close();
  }
}

function openDispatcher(
  context: Context,
  { handlerTimeoutMs, handlerConcurrency }: HandlerOptions,
  { nats, reach }: { readonly nats: Nats; readonly reach: ReachReport },
  rules: readonly HandlerRule[],
  server: ServerName,
): Dispatcher {
  const { clock, env } = context;
  return createDispatcher({
    handlerFor: openTable(rules, {
      server,
      clock,
      env,
      // once: a handler that fails is called again as a whole
      exchange: async (request, signal) =>
        (await context.http()).withPolicy({ retries: 0, maxWaitMs: 0 }).send(request, signal),
      natsRequest: nats.request,
    }),
    clock,
    concurrency: handlerConcurrency,
    timeoutMs: handlerTimeoutMs,
    reach,
  });
}

function reachReport({ talk }: Context, { unreachable }: Metrics): ReachReport {
  return {
    lost: (service, reason) => {
      unreachable.add(service);
      talk.warn(`a handler cannot be reached, trying again: ${reason}`);
    },
    regained: (service) => {
      unreachable.delete(service);
      talk.notice(`a handler is reached again: ${service}`);
    },
  };
}

/** The same signal, which aborts as well when a line of the log cannot be written. */
function whileWritten(log: EventLog, signal: AbortSignal): AbortSignal {
  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  log.broken.catch((error: unknown) => stop.abort(error));
  return stop.signal;
}

async function readNatsCredentials(
  { stdin }: Context,
  { natsCredsFile: file }: HandlerOptions,
): Promise<NatsCredentials | undefined> {
  if (file === undefined) return undefined;
  return parseNatsCredentials(await readTextFrom(file, stdin, 'the NATS credentials'), file);
}
