/** `mx2s listen`: prints the to-device events of a device as they come, and loses none. */
import { isUnknownEndpoint } from '../client/error-answer.js';
import { readPosition, type Position, type SyncApi } from '../config/position.js';
import { removeFile } from '../config/private-file.js';
import { openSpool } from '../config/spool.js';
import { DeadlineError, ReaderGoneError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { serverNameOf } from '../ids/user-id.js';
import { openBatchSource } from '../listen/batch-source.js';
import { discard } from '../listen/discard.js';
import { Listener, type ListenEnd } from '../listen/listener.js';
import { peek } from '../listen/peek.js';
import { startOf } from '../listen/queue-reader.js';
import { compileSelection } from '../listen/selection.js';
import { PRINT_GRACE_MS, TimeUp, unlessStopped, withinTime } from '../listen/time-limit.js';
import { tallyNotices } from '../ui/render/tally.js';
import type { Context } from './context.js';
import { addExamples, collect, define } from './define.js';
import { openReader, takeDeviceQueue, type DeviceQueue } from './device-queue.js';
import { eventWriter } from './event-output.js';
import { openHook } from './listen-hook.js';
import { parseListenOptions, type ListenOptions, type Since } from './listen-options.js';
import { openReadyFile, type ReadyFile } from './ready-file.js';
import { deviceOf, openSession } from './session.js';

export const listen = define<ListenOptions>({
  configure: (command) => {
    command
      .option('-C, --count <n>', 'stop after n events')
      .option('-W, --timeout <duration>', 'stop after so long; exit 124 if --count was not reached')
      .option('--idle <duration>', 'stop when no event was printed for so long')
      .option('--drain', 'print what waits, then stop')
      .option('--since <where>', 'begin at: stored (default), start, or a token of the homeserver')
      .option('--discard', 'acknowledge what waits and throw it away')
      .option('--peek', 'show what waits (about 100 events at most) and leave it in place')
      .option('-t, --type <glob>', 'only events of this type; may be repeated', collect)
      .option('-T, --not-type <glob>', 'no events of this type; may be repeated', collect)
      .option('--from <id>', 'only events from this user ID; may be repeated', collect)
      .option(
        '--any-sender',
        'events from all senders (default: from server user IDs only; others are passed over, and gone)',
      )
      .option('-r, --raw', 'print the content only, as JSON')
      .option('--exec <command>', 'hand each event to sh -c COMMAND, as a JSON line on its stdin')
      .option('--forward-to <url>', 'POST each event as JSON')
      .option('-H, --header <header>', "with --forward-to: 'K: V', or @FILE; may be repeated", collect)
      .option('--hook-retries <n>', 'how often a failed hook is tried again (default: 5)')
      .option('--on-hook-failure <stop|skip>', 'then: stop (default) or skip the event')
      .option('--ready-file <path>', 'written when the homeserver has answered for the first time')
      .option('--sync <v3|sliding>', 'which sync API (default: v3)')
      .option('--max-offline <duration>', 'give up after so long without the homeserver (default: never)')
      .option('--shared-device', 'read although another client uses this device, and would lose messages');
    addExamples(command, EXAMPLES);
  },
  options: parseListenOptions,
  run: (context, options) => ACTIONS[options.action](context, options),
});

/** What a run that may yet fail has come to. */
interface RunState {
  isReady: boolean;
  printed: number;
}

async function listenToDevice(context: Context, options: ListenOptions): Promise<ExitCode> {
  const { clock, signal } = context;
  const deadlineMs = options.timeoutMs === undefined ? Infinity : clock.monotonic() + options.timeoutMs;
  const readyFile = await openReadyFile(options.readyFile);
  const state: RunState = { isReady: false, printed: 0 };
  let end: ListenEnd;
  try {
    const queue = await withinTime({ clock, deadlineMs, signal }, (within) =>
      takeDeviceQueue({ ...context, signal: within }, options.sharedDevice),
    );
    try {
      end = await withFallback(context, options.sync, (api) =>
        listenOver(api, context, options, { queue, deadlineMs, readyFile, state }),
      );
    } finally {
      queue.release();
    }
  } catch (error) {
    if (error instanceof TimeUp) end = 'time';
    else if (signal.aborted && error === signal.reason) end = 'interrupted';
    else throw error;
  }
  return exitCodeFor(end, state, context, options);
}

interface RunParts {
  readonly queue: DeviceQueue;
  readonly deadlineMs: number;
  readonly readyFile: ReadyFile;
  readonly state: RunState;
}

async function listenOver(
  api: SyncApi,
  context: Context,
  options: ListenOptions,
  { queue, deadlineMs, readyFile, state }: RunParts,
): Promise<ListenEnd> {
  const { talk, out, clock, signal } = context;
  const { since, selection, hook } = options;
  const listener = new Listener({
    reader: openReader(context, queue, {
      ...beginning(since, queue, api),
      maxOfflineMs: options.maxOfflineMs,
      storesAtOnce: hook !== undefined, // it would be called again
    }),
    spool: openSpool(queue.files.spool),
    ownServer: queue.ownServer,
    selection: compileSelection(selection),
    print: eventWriter(out, options.raw),
    hook: hook && (await openHook(context, hook)),
    onHookFailure:
      hook?.onFailure === 'skip'
        ? (error) => talk.warn(`an event is passed over: ${error.message}`)
        : undefined,
    onReady: async () => {
      state.isReady = true;
      if (await readyFile.write()) talk.notice('ready');
    },
    count: options.count,
    deadlineMs,
    idleMs: options.idleMs,
    drain: options.drain,
    clock,
    signal,
  });
  const tell = (): void => {
    for (const notice of tallyNotices(listener.tally, selection, true)) talk.notice(notice);
  };
  try {
    const end = await listener.run();
    tell();
    return end;
  } catch (error) {
    if (!(error instanceof ReaderGoneError)) tell(); // nobody reads any more
    throw error;
  } finally {
    state.printed += listener.tally.printed;
  }
}

/** A position is of use only to the API that its token came from. */
function beginning(
  since: Since,
  { files }: DeviceQueue,
  api: SyncApi,
): { start: Position; insistOnStart?: boolean; freshStart?: boolean } {
  if ('token' in since) return { start: { ...startOf(api), since: since.token }, insistOnStart: true };
  if (since.from === 'start') return { start: startOf(api), freshStart: true };
  const stored = readPosition(files.position);
  return { start: stored?.api === api ? stored : startOf(api) };
}

/** 0 where there was no goal or it was reached. */
function exitCodeFor(
  end: ListenEnd,
  { isReady, printed }: RunState,
  { signal, talk }: Context,
  { count, timeoutMs }: ListenOptions,
): ExitCode {
  if (count !== Infinity && end !== 'count') {
    if (end === 'interrupted') throw signal.reason;
    throw new DeadlineError(timeoutMs, `${printed} of ${count} events came before ${END_WORDS[end]}`);
  }
  if (end === 'time' && !isReady) {
    talk.warn(
      'the homeserver did not answer in the time given with --timeout: nobody knows what waits there',
    );
  }
  return 0;
}

async function peekAtDevice(context: Context, options: ListenOptions): Promise<ExitCode> {
  const { out, talk, clock, chance, signal } = context;
  const session = await openSession(context);
  const { userId } = await deviceOf(session, signal);
  const { selected, ...passedOver } = await withFallback(context, options.sync, (api) =>
    peek({
      source: openBatchSource(api, session.api, chance),
      ownServer: serverNameOf(userId),
      selection: compileSelection(options.selection),
      clock,
      signal,
    }),
  );
  const printed = eventWriter(out, options.raw)(selected.slice(0, options.count));
  await unlessStopped(printed, { clock, signal, graceMs: PRINT_GRACE_MS });
  for (const notice of tallyNotices({ ...passedOver, hookFailures: 0 }, options.selection, false))
    talk.notice(notice);
  return 0;
}

async function discardOfDevice(context: Context, options: ListenOptions): Promise<ExitCode> {
  const { out, signal } = context;
  const queue = await takeDeviceQueue(context, options.sharedDevice);
  try {
    const { spool } = queue.files;
    const spooled = openSpool(spool).waiting.length;
    removeFile(spool);
    const queued = await withFallback(context, options.sync, (api) =>
      discard(
        openReader(context, queue, {
          ...beginning(options.since, queue, api),
          freshStart: true,
          maxOfflineMs: 0,
        }),
        signal,
      ),
    );
    const discarded = spooled + queued;
    await out.result({ v: 1, discarded }, () => `discarded ${discarded} event${discarded === 1 ? '' : 's'}`);
    return 0;
  } finally {
    queue.release();
  }
}

/** What a homeserver does not have over sliding sync, it has over `/v3/sync`. */
async function withFallback<T>(
  { talk }: Context,
  wanted: SyncApi,
  work: (api: SyncApi) => Promise<T>,
): Promise<T> {
  try {
    return await work(wanted);
  } catch (error) {
    if (wanted === 'v3' || !isUnknownEndpoint(error)) throw error;
    talk.warn('the homeserver has no sliding sync, so it is asked over /v3/sync');
    return work('v3');
  }
}

const ACTIONS = {
  listen: listenToDevice,
  peek: peekAtDevice,
  discard: discardOfDevice,
} as const satisfies Record<ListenOptions['action'], unknown>;
const END_WORDS: Readonly<Record<ListenEnd, string>> = {
  count: 'the end',
  time: 'the time was up (--timeout)',
  idle: 'it was quiet for too long (--idle)',
  drained: 'nothing more was waiting (--drain)',
  interrupted: 'the interruption',
};
const EXAMPLES = [
  'mx2s listen',
  "mx2s listen --json --count 1 --timeout 30s -t 'org.example.*'",
  "mx2s listen --any-sender --exec 'jq .content >> events.ndjson'",
  'mx2s listen --peek --any-sender',
];
