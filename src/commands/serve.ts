/** `mx2s serve`: an embedded homeserver for development and CI, on its own or around another command. */
import { rmSync } from 'node:fs';
import type { ExitCode } from '../exit-codes.js';
import { isLoopbackHost } from '../http/loopback.js';
import { startServer, type RunningServer } from '../server/listen.js';
import type { LogEntry } from '../server/log-entry.js';
import { authorityHost } from '../server/socket.js';
import { isDatabaseError } from '../store/database-error.js';
import type { Store } from '../store/store.js';
import { createPrivateFile } from '../ui/file-output.js';
import { readyResult, readyVariables, renderAssignments, renderReady } from '../ui/render/serve.js';
import type { Context } from './context.js';
import { openDataFile } from './data-file.js';
import { define } from './define.js';
import { openEventLog, type EventLog } from './event-log.js';
import { droppedWords, federationOptions } from './serve-federation.js';
import { readServeFiles, type ServeFiles } from './serve-files.js';
import { configureServe, parseServeOptions, type ServeOptions } from './serve-options.js';
import { runWrapped } from './wrapped-command.js';

export const serve = define<ServeOptions>({
  configure: configureServe,
  options: parseServeOptions,
  run: async (context, options) => {
    const { logFile, dataFile, command } = options;
    const files = await readServeFiles(context, options);
    const log = openEventLog(context, { logFile, toStdout: command.length === 0 });
    try {
      const data = dataFile === undefined ? undefined : await openDataFile(dataFile, context.pid);
      try {
        const server = await start(context, options, files, data?.store, (entry) => log.write(entry));
        return await serveUntilTheEnd(context, options, server, log);
      } finally {
        data?.lock.release();
      }
    } finally {
      await log.close();
    }
  },
});

async function start(
  context: Context,
  options: ServeOptions,
  files: ServeFiles,
  store: Store | undefined,
  onEvent: (entry: LogEntry) => void,
): Promise<RunningServer> {
  const { talk, clock, chance, env } = context;
  const { users, ...rest } = options;
  if (!isLoopbackHost(authorityHost(options.host))) {
    talk.warn(`${options.host} can be reached from other machines, and this server is made for tests`);
  }
  const server = await startServer({
    ...rest,
    ...(users.length === 0 ? {} : { users: users.map((name) => ({ name })) }),
    federationPort: options.federation.port,
    certificate: files.certificate,
    federation: await federationOptions(context, files, options.federation.insecure),
    natsCredentials: files.natsCredentials,
    store,
    clock,
    chance,
    env,
    // once: who waits for the answer of a handler has no time for more
    exchange: async (request, signal) =>
      (await context.http()).withPolicy({ retries: 0, maxWaitMs: 0 }).send(request, signal),
    onEvent,
    onHandlerFailure: (type, reason) => talk.warn(`the handler of ${type} failed: ${reason}`),
    onFault: faultTeller(context),
  });
  if (server.tookOverAccount) {
    talk.notice(`@:${server.serverName} was an account; now it is the server, and its devices are gone`);
  }
  return server;
}

/** A disk that is full fails one request after the other: that is told of once a minute. */
function faultTeller({ talk, clock }: Context): (error: unknown) => void {
  let nextMs = -Infinity;
  return (error) => {
    if (!isDatabaseError(error)) {
      talk.warn(`a request failed by a bug in mx2s: ${String(error)}`);
      if (error instanceof Error) talk.detail(error.stack ?? '');
    } else if (clock.monotonic() >= nextMs) {
      nextMs = clock.monotonic() + TELL_AGAIN_MS;
      talk.warn(`${error.message}; requests that need it are answered with 503`);
    }
  };
}

async function serveUntilTheEnd(
  context: Context,
  { envFile, command }: ServeOptions,
  server: RunningServer,
  log: EventLog,
): Promise<ExitCode> {
  try {
    if (envFile !== undefined) {
      rmSync(envFile, { force: true }); // one that others can read must not become this one
      await createPrivateFile(envFile, renderAssignments(readyVariables(server)), 'the environment');
    }
    if (command.length > 0) {
      log.begin();
      return await runWrapped(command, readyVariables(server), context);
    }
    await context.out.result(readyResult(server), (palette) => renderReady(server, palette));
    log.begin();
    await Promise.race([aborted(context.signal), log.broken]);
    return 0;
  } finally {
    await server.stop();
    const dropped = droppedWords(server);
    if (dropped !== undefined) context.talk.detail(dropped);
    if (envFile !== undefined) rmSync(envFile, { force: true });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

const TELL_AGAIN_MS = 60_000;
