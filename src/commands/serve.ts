/** `mx2s serve`: an embedded homeserver for development and CI, on its own or around another command. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { FILE_MODE, diskError, replacePrivateFile } from '../config/private-file.js';
import { parseDurationMs } from '../duration.js';
import { InvalidInputError, UnreadableFileError } from '../errors.js';
import type { ExitCode } from '../exit-codes.js';
import { isLoopbackHost } from '../http/loopback.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { gradeUserId, serverUserOf } from '../ids/user-id.js';
import { ID_REASONS } from '../ids/verdict.js';
import { startServer, type RunningServer } from '../server/listen.js';
import { encodeLogEntry, type LogEntry } from '../server/log-entry.js';
import { parseHandlerRule, type HandlerRule } from '../subsystems/table.js';
import {
  readyResult,
  readyVariables,
  renderAssignments,
  renderLogEntry,
  renderReady,
} from '../ui/render/serve.js';
import type { Context } from './context.js';
import { addExamples, collect, define, type Flags } from './define.js';
import { parseCount } from './globals.js';
import { runWrapped } from './wrapped-command.js';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly serverName: ServerName | undefined;
  /** Localparts; empty for the default ones. */
  readonly users: readonly string[];
  readonly allowRegistration: boolean;
  readonly handlers: readonly HandlerRule[];
  readonly handlerTimeoutMs: number;
  readonly handlerConcurrency: number;
  readonly rateLimitPerSecond: number | undefined;
  readonly logFile: string | undefined;
  readonly envFile: string | undefined;
  /** `-- CMD…`; empty to serve until a signal comes. */
  readonly command: readonly string[];
}

export const serve = define<ServeOptions>({
  configure: (command) => {
    command
      .usage('[options] [-- command...]')
      .argument('[command...]', 'after --: run this command beside the server, and stop with its exit status')
      .option('--host <address>', 'the address to listen on', '127.0.0.1')
      .option('--port <n>', 'the port to listen on; 0 for any', '0')
      .option('--server-name <name>', 'the name of the server (default: HOST:PORT)')
      .option('--user <name>', 'make an account; may be repeated (default: alice, bob)', collect)
      .option('--allow-registration', 'let clients make accounts')
      .option('--on <glob=handler>', 'hand messages of a type to a handler; may be repeated', collect)
      .option('--handler-timeout <duration>', 'how long a handler may take', '30s')
      .option('--handler-concurrency <n>', 'how many handlers may run at a time', '16')
      .option('--rate-limit <n/s>', 'how often each sender may address the server (default: any number)')
      .option('--log <file>', 'write the event log to a file, too')
      .option('--env-file <file>', 'write MX2S_HOMESERVER, MX2S_ACCESS_TOKEN … to a file for the shell');
    command.addHelpText('after', HANDLER_HELP);
    addExamples(command, EXAMPLES);
  },
  options: ({ args, flags }) => ({
    host: flags.text('host') ?? '127.0.0.1',
    port: parsePort(flags.text('port') ?? '0'),
    serverName: parseName(flags),
    users: flags.texts('user').map(parseUserName),
    allowRegistration: flags.given('allowRegistration'),
    handlers: flags.texts('on').map(parseHandlerRule),
    handlerTimeoutMs: parseHandlerTimeoutMs(flags.text('handlerTimeout') ?? '30s'),
    handlerConcurrency: parseCount(flags.text('handlerConcurrency') ?? '16', '--handler-concurrency', 1),
    rateLimitPerSecond: parseRateLimit(flags.text('rateLimit')),
    logFile: flags.text('log'),
    envFile: flags.text('envFile'),
    command: args,
  }),
  run: async (context, options) => {
    const log = openLog(context, options);
    try {
      const server = await start(context, options, (entry) => log.write(entry));
      try {
        if (options.envFile !== undefined) {
          replacePrivateFile(options.envFile, renderAssignments(readyVariables(server)));
        }
        return await serveUntilTheEnd(context, options, server, log);
      } finally {
        await server.stop();
        if (options.envFile !== undefined) rmSync(options.envFile, { force: true });
      }
    } finally {
      await log.close();
    }
  },
});

async function start(
  context: Context,
  options: ServeOptions,
  onEvent: (entry: LogEntry) => void,
): Promise<RunningServer> {
  const { talk, clock, chance, env } = context;
  const { users, ...rest } = options;
  const authority = options.host.includes(':') ? `[${options.host}]` : options.host;
  if (!isLoopbackHost(authority)) {
    talk.warn(`${options.host} can be reached from other machines, and this server is made for tests`);
  }
  return startServer({
    ...rest,
    ...(users.length === 0 ? {} : { users: users.map((name) => ({ name })) }),
    clock,
    chance,
    env,
    // once: who waits for the answer of a handler has no time for more
    exchange: async (request, signal) =>
      (await context.http()).withPolicy({ retries: 0, maxWaitMs: 0 }).send(request, signal),
    onEvent,
    onHandlerFailure: (type, reason) => talk.warn(`the handler of ${type} failed: ${reason}`),
    onBug: (error) => {
      talk.warn(`a request failed by a bug in mx2s: ${String(error)}`);
      if (error instanceof Error) talk.detail(error.stack ?? '');
    },
  });
}

async function serveUntilTheEnd(
  context: Context,
  { command }: ServeOptions,
  server: RunningServer,
  log: EventLog,
): Promise<ExitCode> {
  if (command.length > 0) return runWrapped(command, readyVariables(server), context);
  await context.out.result(readyResult(server), (palette) => renderReady(server, palette));
  await Promise.race([aborted(context.signal), log.broken]);
  return 0;
}

/** Where the event log goes: stdout unless a command owns it, and a file where one is named. */
interface EventLog {
  write(entry: LogEntry): void;
  /** Rejects when a line cannot be written. */
  readonly broken: Promise<never>;
  /** Resolves when every line is out; rejects like `broken`. */
  close(): Promise<void>;
}

function openLog({ out, clock }: Context, { logFile, command }: ServeOptions): EventLog {
  const file = logFile === undefined ? undefined : openLogFile(logFile);
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => (fail = reject));
  let written: Promise<unknown> = Promise.resolve();
  const print = async (entry: LogEntry): Promise<void> => {
    file?.append(encodeLogEntry(entry));
    if (command.length > 0) return;
    if (out.format === 'json') await out.writeJson(encodeLogEntry(entry));
    else await out.write(`${renderLogEntry(entry, clock.now(), out)}\n`);
  };
  broken.catch(() => undefined); // who has ended already hears of it in `close`
  return {
    write(entry) {
      written = Promise.all([written, print(entry)]);
      written.catch(fail);
    },
    broken,
    async close() {
      file?.close();
      await written;
    },
  };
}

/** Lines are written at once and in order: none waits in this process when it is killed. */
function openLogFile(path: string): { append(line: string): void; close(): void } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a', FILE_MODE);
  } catch (error) {
    throw new UnreadableFileError(
      path,
      `cannot write the event log to ${path}: ${(error as Error).message}`,
      {
        hint: 'name a file in a directory that you may write to',
        cause: error,
      },
    );
  }
  return {
    append(line) {
      try {
        writeSync(descriptor, `${line}\n`);
      } catch (error) {
        throw diskError(path, error);
      }
    },
    close: () => closeSync(descriptor),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function parsePort(text: string): number {
  const port = parseCount(text, '--port');
  if (port > MAX_PORT) throw new InvalidInputError(`--port: there is no port ${port}`, { at: '--port' });
  return port;
}

function parseName(flags: Flags): ServerName | undefined {
  const text = flags.text('serverName');
  if (text === undefined) return undefined;
  const name = parseServerName(text);
  serverUserOf(name); // a server whose user ID would be too long cannot be addressed
  return name;
}

function parseUserName(text: string): string {
  const grade = gradeUserId(`@${text}:localhost`).grammars.strict;
  if (grade.valid && !text.includes(':')) return text;
  const reason = grade.valid ? 'E_LOCALPART_CHAR' : grade.code;
  throw new InvalidInputError(`--user: ${JSON.stringify(text)} is no user name: ${ID_REASONS[reason]}`, {
    at: '--user',
    reason,
    hint: 'give the part between @ and the colon: --user alice',
  });
}

function parseHandlerTimeoutMs(text: string): number {
  const timeoutMs = parseDurationMs(text, '--handler-timeout');
  if (timeoutMs > 0) return timeoutMs;
  throw new InvalidInputError('--handler-timeout: a handler needs some time', { at: '--handler-timeout' });
}

function parseRateLimit(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const perSecond = Number(/^(\d+(?:\.\d+)?)\/s$/.exec(text)?.[1]);
  if (perSecond > 0) return perSecond;
  throw new InvalidInputError(`--rate-limit: '${text}' is no rate`, {
    at: '--rate-limit',
    hint: 'write it like 10/s',
  });
}

const MAX_PORT = 65_535;
const HANDLER_HELP = `
Handlers get the message as one JSON line {"sender","type","content","device_id"?,"via"}:
  echo              answers with the same type and content
  drop              handles nothing, as if no glob had matched
  reply:JSON        answers with this content
  exec:COMMAND      runs it; exit 0 with {"type"?,"content"} on stdout is the answer, nothing is none
  http(s)://URL     POSTs it; 200 with the same JSON is the answer, 204 is none
The first glob that matches wins. mx2s.ping is answered with mx2s.pong unless a glob takes it.`;
const EXAMPLES = [
  'mx2s serve --on "org.example.*=echo"',
  'mx2s serve --port 8008 --server-name example.org --env-file mx2s.env',
  'mx2s serve --on "*=exec:./handle.sh" -- npm test',
];
