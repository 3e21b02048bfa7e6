/** `mx2s request`: sends a message and prints the answer, and keeps everything else for `listen`. */
import { sendMessage } from '../client/send-message.js';
import { readPosition } from '../config/position.js';
import { appendToSpool } from '../config/spool.js';
import { DeadlineError, ReaderGoneError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { ask } from '../listen/asker.js';
import { startOf } from '../listen/queue-reader.js';
import { isAnswer, type AnswerRule } from '../todevice/correlate.js';
import {
  canonicalContent,
  messageWarnings,
  parseDocument,
  parseTransactionId,
  type OutgoingMessage,
} from '../todevice/message.js';
import { fillTemplate } from '../todevice/template.js';
import { readDataFrom } from '../ui/file-input.js';
import type { JsonNode } from '../wire/json.js';
import type { Context } from './context.js';
import { addExamples, collect, define } from './define.js';
import { openReader, takeDeviceQueue, type DeviceQueue } from './device-queue.js';
import { eventWriter } from './event-output.js';
import { parseRequestOptions, type RequestOptions } from './request-options.js';
import { addMessageFlags } from './send-options.js';

export const request = define<RequestOptions>({
  configure: (command) => {
    addMessageFlags(command)
      .option('--template', 'fill {{txn_id}} and {{device_id}} in the content, and in the values of --match')
      .option('--reply-type <glob>', "type of the answer (default: '*')")
      .option('--match <pointer=value>', 'JSON pointer and value in the answer; may be repeated', collect)
      .option('--replies <n>', 'how many answers to wait for (default: 1)')
      .option('-W, --timeout <duration>', 'how long, once the message is accepted (default: 10s)')
      .option('-r, --raw', 'print the content of the answer only, as JSON')
      .option('--shared-device', 'read although another client uses this device, and would lose messages');
    addExamples(command, EXAMPLES);
  },
  options: parseRequestOptions,
  run: async (context, options) => {
    const document = parseDocument(await readDataFrom(options.data, context.stdin), 'the content');
    canonicalContent(document); // a fault in it is told before anything else is done
    const queue = await takeDeviceQueue(context, options.sharedDevice);
    try {
      return await askOver(queue, context, options, document);
    } finally {
      queue.release();
    }
  },
});

async function askOver(
  queue: DeviceQueue,
  context: Context,
  options: RequestOptions,
  document: JsonNode,
): Promise<ExitCode> {
  const { talk, out, clock, chance, signal } = context;
  const { recipient, type, replies, timeoutMs } = options;
  const txnId = parseTransactionId(chance.uuid());
  const filled = (node: JsonNode): JsonNode =>
    options.isTemplate ? fillTemplate(node, { txn_id: txnId, device_id: queue.device.deviceId }) : node;

  const message: OutgoingMessage = { recipient, type, content: canonicalContent(filled(document)) };
  for (const warning of messageWarnings(message)) talk.warn(warning);
  const rule: AnswerRule = {
    from: recipient.to,
    type: options.replyType,
    matches: options.matches.map(({ pointer, value }) => ({ pointer, value: filled(value) })),
  };
  const print = eventWriter(out, options.raw);
  let kept = 0;
  const tell = (): void => {
    if (kept > 0)
      talk.notice(`${kept} other event${kept === 1 ? '' : 's'} kept: mx2s listen prints what is kept`);
  };
  try {
    const answers = await ask({
      reader: openReader(context, queue, {
        start: readPosition(queue.files.position) ?? startOf('v3'),
        freshStart: true,
        maxOfflineMs: timeoutMs,
      }),
      ownServer: queue.ownServer,
      keep: (events) => {
        appendToSpool(queue.files.spool, events);
        kept += events.length;
      },
      send: async (within) => {
        await sendMessage(queue.session.api, message, txnId, within);
        talk.notice(`the homeserver accepted the message (${txnId}), waiting for the answer`);
      },
      isAnswer: (event) => isAnswer(event, rule),
      print: (answer) => print([answer]),
      replies,
      timeoutMs,
      clock,
      signal,
    });
    if (answers < replies) throw unanswered(answers, options);
    tell();
    return 0;
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) tell(); // nobody reads any more
    throw error;
  }
}

function unanswered(answers: number, { recipient, replies, timeoutMs }: RequestOptions): DeadlineError {
  const wanted = replies === 1 ? 'no answer' : `${answers} of ${replies} answers`;
  return new DeadlineError(timeoutMs, `${wanted} from ${recipient.to} within ${timeoutMs / 1000} s`, {
    hint: 'a homeserver also accepts messages for recipients and types that nobody knows: check them, or allow more time with --timeout',
  });
}

const EXAMPLES = [
  `mx2s request @:example.org -t mx2s.ping -d '{"nonce":"abc"}'`,
  `mx2s request @:example.org -t mx2s.ping -d '{"nonce":"{{txn_id}}"}' --template --match '/nonce={{txn_id}}'`,
  `mx2s request @:example.org -t org.example.search -d @query.json --reply-type 'org.example.result' --replies 3`,
];
