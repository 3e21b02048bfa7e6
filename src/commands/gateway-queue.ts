/** `mx2s gateway --nats-queue`: handles what comes from the subjects of `nats://` rules. */
import type { ExitCode } from '../exit-codes.js';
import { createMetrics } from '../gateway/metrics.js';
import { createQueueMember, type QueueMemberOptions } from '../gateway/queue-member.js';
import { runQueue } from '../gateway/queue.js';
import { renderNatsUrl } from '../subsystems/nats.js';
import { queueRulesOf, type QueueRules } from '../subsystems/table.js';
import { renderQueueReady, type QueueReadyResult } from '../ui/render/gateway.js';
import type { Context } from './context.js';
import type { GatewayMember } from './gateway-options.js';
import { onStage, type Stage } from './gateway-stage.js';
import type { HandlerOptions } from './handler-options.js';

/** A gateway that reads no device, and is a member of a queue group until a signal comes. */
export async function runMember(context: Context, options: GatewayMember): Promise<ExitCode> {
  const { talk, out, globals } = context;
  const { serverName, queue } = options;
  const rules = queueRulesOf(options.handlers);
  const metrics = createMetrics(false);
  await onStage(context, options, metrics, async (stage) => {
    const { log, signal } = stage;
    await takePart(context, stage, {
      options,
      queue,
      rules,
      serverName,
      metrics,
      onEvent: (entry) => log.write(entry),
      onFailure: (type, reason) => talk.warn(`the handler of ${type} failed: ${reason}`),
      retries: globals.retries,
      onReady: async () => {
        const subjects = rules.services.map(renderNatsUrl);
        const ready: QueueReadyResult = { v: 1, ready: true, server_name: serverName, queue, subjects };
        await out.result(ready, (palette) => renderQueueReady(ready, palette));
        log.begin();
      },
      signal,
    });
  });
  return 0;
}

export interface QueuePart extends Pick<
  QueueMemberOptions,
  'serverName' | 'metrics' | 'onEvent' | 'onFailure'
> {
  readonly options: HandlerOptions;
  readonly queue: string;
  readonly rules: QueueRules;
  /** How often a failure is repeated before it takes part for the first time. */
  readonly retries: number;
  readonly onReady: () => Promise<void>;
  readonly signal: AbortSignal;
}

/** Takes part in a queue group until the signal aborts. */
export function takePart({ talk, clock, chance }: Context, stage: Stage, part: QueuePart): Promise<void> {
  const { queue, rules, serverName, metrics, onEvent, onFailure, retries, onReady, signal } = part;
  const dispatcher = stage.openDispatcher(rules.rules, serverName);
  return runQueue({
    nats: stage.nats,
    queue,
    services: rules.services,
    member: createQueueMember({
      serverName,
      dispatcher,
      concurrency: part.options.handlerConcurrency,
      metrics,
      onEvent,
      onFailure,
    }),
    dispatcher,
    retries,
    metrics,
    onReady,
    report: {
      down: (error) => talk.notice(`out of the queue group ${queue}, trying again: ${error.message}`),
      up: () => talk.notice(`back in the queue group ${queue}`),
    },
    clock,
    chance,
    signal,
  });
}
