/** `mx2s send`: checks messages, hands them to the homeserver, and says which it accepted. */
import { setMaxListeners } from 'node:events';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { messageWarnings, parseContent, parseTransactionId } from '../todevice/message.js';
import { sendMessageLines } from '../todevice/message-lines.js';
import { chunksOf, readDataFrom } from '../ui/file-input.js';
import { renderBar, startProgress } from '../ui/progress.js';
import { renderTally } from '../ui/render/send.js';
import type { Context } from './context.js';
import { addExamples, define } from './define.js';
import { openAction, type SendAction } from './send-action.js';
import { configureSendAs } from './send-as-options.js';
import {
  addMessageFlags,
  parseSendOptions,
  type ActionChoice,
  type ManyMessages,
  type OneMessage,
  type SendOptions,
} from './send-options.js';

export const send = define<SendOptions>({
  configure: (command) => {
    addMessageFlags(command)
      .option('--ndjson', 'read one content a line from stdin, and send one message for each')
      .option('--envelope', 'with --ndjson: each line is {"to","type","device"?,"content","txn_id"?}')
      .option('-j, --concurrency <n>', 'with --ndjson: requests in flight (default: 1, in strict order)')
      .option('--fail-fast', 'with --ndjson: stop at the first line that fails')
      .option('--txn-id <id>', 'transaction ID (default: a fresh one)')
      .option('-n, --dry-run', 'print the request, send nothing')
      .option('--curl', 'print a curl command, send nothing');
    configureSendAs(command);
    addExamples(command, EXAMPLES);
  },
  options: parseSendOptions,
  run: (context, options) =>
    options.kind === 'one' ? sendOne(context, options) : sendMany(context, options),
});

async function sendOne(context: Context, options: OneMessage): Promise<ExitCode> {
  const { talk, out, chance } = context;
  const { recipient, type } = options;
  const message = { recipient, type, content: parseContent(await readDataFrom(options.data, context.stdin)) };
  for (const warning of messageWarnings(message)) talk.warn(warning);
  const action = await openChosen(context, options);
  const txnId = options.txnId ?? parseTransactionId(chance.uuid());
  try {
    await out.write(await action.perform({ line: undefined, message, txnId }));
    return 0;
  } catch (error) {
    if (exitCodeOf(error) >= NO_ANSWER) {
      talk.notice(`with --txn-id ${txnId} it can be repeated: it is taken once`);
    }
    throw error;
  } finally {
    await action.close();
  }
}

async function sendMany(context: Context, options: ManyMessages): Promise<ExitCode> {
  const { stdin, talk, chance, signal } = context;
  const failure = new AbortController();
  const untilFailure = AbortSignal.any([signal, failure.signal]);
  setMaxListeners(0, untilFailure); // every request in flight listens to it
  const action = await openChosen({ ...context, signal: untilFailure }, options);
  const progress = await countProgress(context);
  try {
    const tally = await sendMessageLines<string>({
      chunks: progress.watch(chunksOf(stdin)),
      form: options.form,
      concurrency: options.concurrency,
      failFast: options.failFast,
      freshTxnId: () => parseTransactionId(chance.uuid()),
      send: action.perform,
      report: async (results) => {
        const lines = results.map((result) => ('error' in result ? action.unsent(result) : result.sent));
        await context.out.write(lines.join(''));
        progress.add(results.length);
      },
      warn: (text) => talk.warn(text),
      signal,
    });
    progress.stop();
    talk.notice(renderTally(tally, action.outcome));
    const wasCutShort = tally.stoppedAfter !== undefined || tally.failed > 0;
    return signal.aborted && wasCutShort ? exitCodeOf(signal.reason) : tally.exitCode;
  } catch (error) {
    failure.abort(error); // nobody hears any more what becomes of the requests in flight, and of their retries
    throw error;
  } finally {
    progress.stop();
    await action.close();
  }
}

async function openChosen(context: Context, { action, as }: ActionChoice): Promise<SendAction> {
  if (as === undefined) return openAction(context, action);
  const { openSendAs } = await import('./send-as.js'); // few need all of federation
  return openSendAs(context, as, action);
}

/** Counts and rate below the talk, and a bar where stdin is a file, so that its size is known. */
async function countProgress({ stdin, talk, env, globals, clock }: Context) {
  const startedAtMs = clock.monotonic();
  const progress = await startProgress(talk, {
    inCi: Boolean(env['CI']),
    quiet: globals.quiet,
    text: 'reading stdin',
  });
  const totalBytes = stdin.sizeBytes();
  let readBytes = 0;
  let done = 0;
  return {
    async *watch(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        readBytes += chunk.byteLength;
        yield chunk;
      }
    },
    add(count: number): void {
      done += count;
      const share = totalBytes === undefined ? undefined : readBytes / totalBytes;
      progress.update(renderBar(done, share, startedAtMs, clock));
    },
    stop: progress.stop,
  };
}

/** From this exit status on a request may have gone out that nobody answered. */
const NO_ANSWER: ExitCode = 5;
const EXAMPLES = [
  `mx2s send @:example.org -t org.example.whatever -d '{"example_content":"value"}'`,
  "mx2s send @alice:example.org --device '*' -t org.example.whatever -d @content.json",
  'mx2s send @:example.org -t org.example.whatever --ndjson -j 8 < contents.ndjson',
  'mx2s send @:example.org -t org.example.whatever --curl',
  'mx2s send @:example.org -t org.example.whatever --as @:our.example --signing-key our.example.signing.key',
];
