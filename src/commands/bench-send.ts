/** `mx2s bench send`: how long a homeserver takes to accept messages. */
import { runLoad } from '../bench/load.js';
import { sendMessage } from '../client/send-message.js';
import type { ExitCode } from '../exit-codes.js';
import { messageWarnings, parseContent, parseTransactionId } from '../todevice/message.js';
import { readDataFrom } from '../ui/file-input.js';
import type { SendBench } from './bench-options.js';
import { boundsOf, conclude, print, timedPart, withProgress } from './bench-report.js';
import type { Context } from './context.js';
import { openSession } from './session.js';

export async function benchSend(context: Context, options: SendBench): Promise<ExitCode> {
  const { talk, clock, chance, signal } = context;
  const { recipient, type, count } = options;
  const content = parseContent(await readDataFrom(options.data, context.stdin));
  const message = { recipient, type, content };
  for (const warning of messageWarnings(message)) talk.warn(warning);
  const { homeserver, apiWith } = await openSession(context);
  const api = apiWith(ONCE);
  talk.notice(
    `sends ${count} messages of type ${type} to ${recipient.to} through ${homeserver}: ${boundsOf(options)}`,
  );
  const result = await withProgress(context, count, (onProgress) =>
    runLoad({
      ...options,
      work: async (_number, within) => {
        await sendMessage(api, message, parseTransactionId(chance.uuid()), within);
      },
      onProgress,
      clock,
      signal,
    }),
  );
  await print(
    context,
    {
      v: 1,
      bench: 'send',
      homeserver,
      to: recipient.to,
      device: recipient.device,
      type,
      accepted: result.done,
      failed: result.failed,
      unanswered: result.abandoned,
      ...timedPart(options, result),
    },
    result.latency,
  );
  return conclude(context, options, result);
}

/** A request that is repeated would be more than was announced, and hide what is to be measured. */
export const ONCE = { retries: 0, maxWaitMs: 0 } as const;
