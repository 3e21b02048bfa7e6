/** `mx2s bench listen`: how long messages take from their sender to where they are read. */
import { DELIVERY_TYPE, measureDelivery, type DeliveryResult } from '../bench/delivery.js';
import { sendMessage } from '../client/send-message.js';
import { readPosition } from '../config/position.js';
import { appendToSpool } from '../config/spool.js';
import { DeadlineError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { startOf } from '../listen/queue-reader.js';
import { parseEventType, parseTransactionId } from '../todevice/message.js';
import type { ListenBench } from './bench-options.js';
import { boundsOf, conclude, print, timedPart, withProgress } from './bench-report.js';
import { ONCE } from './bench-send.js';
import { openOtherSession } from './check-accounts.js';
import type { Context } from './context.js';
import { openReader, takeDeviceQueue, type DeviceQueue } from './device-queue.js';

export async function benchListen(context: Context, options: ListenBench): Promise<ExitCode> {
  const queue = await takeDeviceQueue(context, options.sharedDevice);
  try {
    return await benchQueue(context, options, queue);
  } finally {
    queue.release();
  }
}

async function benchQueue(context: Context, options: ListenBench, queue: DeviceQueue): Promise<ExitCode> {
  const { talk, clock, chance, signal } = context;
  const { count, timeoutMs } = options;
  const graceMs = Math.min(GRACE_MS, timeoutMs);
  const { userId: to, deviceId: device } = queue.device;
  const other = await openOtherSession(context, { homeserver: undefined, other: options.other });
  const sender = other ?? queue.session;
  const { userId: from } = await sender.identify(signal);
  const api = sender.apiWith(ONCE);
  const type = parseEventType(DELIVERY_TYPE);
  talk.notice(
    `sends ${count} messages of type ${type} from ${from} to the device ${device} of ${to}, and reads them: ` +
      `${boundsOf(options)}, and ${graceMs / 1000} s more for the last ones`,
  );
  let kept = 0;
  const result = await withProgress(context, count, (onProgress) =>
    measureDelivery({
      ...options,
      reader: openReader(context, queue, {
        start: readPosition(queue.files.position) ?? startOf('v3'),
        freshStart: true,
        maxOfflineMs: graceMs,
      }),
      keep: (events) => {
        appendToSpool(queue.files.spool, events);
        kept += events.length;
      },
      send: async (content, within) => {
        const message = { recipient: { to, device }, type, content };
        await sendMessage(api, message, parseTransactionId(chance.uuid()), within);
      },
      graceMs,
      onProgress,
      clock,
      chance,
      signal,
    }).finally(() => {
      if (kept === 0) return;
      talk.notice(`${kept} other event${kept === 1 ? '' : 's'} kept: mx2s listen prints what is kept`);
    }),
  );
  const { sent, received, missing, latency } = result;
  const { ended } = sent;
  await print(
    context,
    {
      v: 1,
      bench: 'listen',
      homeserver: queue.session.homeserver,
      from,
      to,
      device,
      type,
      accepted: sent.done,
      failed: sent.failed,
      unanswered: sent.abandoned,
      received,
      missing,
      ...timedPart(options, { ...result, ended }),
    },
    latency,
  );
  const exitCode = conclude(context, options, { ...sent, done: received });
  if (missing > 0) throw unread(result, graceMs);
  return exitCode;
}

function unread({ missing, sent }: DeliveryResult, graceMs: number): DeadlineError {
  const what = `${missing} of ${sent.done} messages were accepted, and did not come within ${graceMs / 1000} s`;
  return new DeadlineError(graceMs, what, {
    hint: 'does another client read this device? mx2s login makes one that nobody else reads',
  });
}

/** How long to wait, when the last message was accepted, for what did not come yet; no longer than `--timeout`. */
const GRACE_MS = 10_000;
