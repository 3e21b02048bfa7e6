/** `mx2s gateway`: gives an existing homeserver its server user. */
import { resolve } from 'node:path';
import type { ClientApi, TokenSource } from '../client/api.js';
import { openClientApi } from '../client/open.js';
import { loginServerUser, loginServerUserByPassword } from '../client/server-user.js';
import { deviceFilesOf } from '../config/device-files.js';
import { takeDeviceLock } from '../config/lock.js';
import { directoriesOf } from '../config/paths.js';
import { readPosition, writePosition } from '../config/position.js';
import { fixedToken } from '../config/token-source.js';
import type { ExitCode } from '../exit-codes.js';
import { openHealth } from '../gateway/health.js';
import { createMetrics, type Metrics } from '../gateway/metrics.js';
import { createRegistration, type RegistrationPlace } from '../gateway/registration.js';
import { counted, runGateway } from '../gateway/run.js';
import { serverUserTokens } from '../gateway/server-user.js';
import { createWorker } from '../gateway/worker.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import { serverUserOf, type UserId } from '../ids/user-id.js';
import { openBatchSource } from '../listen/batch-source.js';
import { QueueReader, startOf } from '../listen/queue-reader.js';
import { createRateLimit } from '../server/rate-limit.js';
import { createDispatcher, type Dispatcher } from '../subsystems/dispatch.js';
import { openNats, parseNatsCredentials, type Nats } from '../subsystems/nats-connections.js';
import { openTable } from '../subsystems/table.js';
import { readTextFrom } from '../ui/file-input.js';
import { createPrivateFile } from '../ui/file-output.js';
import {
  gatewayInstructions,
  renderGatewayInit,
  renderGatewayReady,
  type GatewayInitResult,
} from '../ui/render/gateway.js';
import { quoteForShell } from '../ui/render/shell.js';
import type { Context } from './context.js';
import { define } from './define.js';
import { lineReport } from './device-queue.js';
import { openEventLog, type EventLog } from './event-log.js';
import { readEntrance, type Entrance } from './gateway-entrance.js';
import {
  configureGateway,
  parseGatewayOptions,
  type GatewayCommand,
  type GatewayInit,
  type GatewayRun,
} from './gateway-options.js';

export const gateway = define<GatewayCommand>({
  configure: configureGateway,
  options: parseGatewayOptions,
  run: (context, options) => (options.action === 'init' ? init(context, options) : run(context, options)),
});

async function init({ chance, out, talk }: Context, options: GatewayInit): Promise<ExitCode> {
  const { file, homeserver, serverName } = options;
  await createPrivateFile(file, await createRegistration(options, chance), 'the registration');
  const result: GatewayInitResult = {
    v: 1,
    registration: file,
    homeserver,
    server_name: serverName,
    user_id: serverUserOf(serverName),
  };
  await out.result(result, (palette) => renderGatewayInit(result, palette));
  for (const line of gatewayInstructions(quoteForShell(file), resolve(file))) talk.notice(line);
  return 0;
}

async function run(context: Context, options: GatewayRun): Promise<ExitCode> {
  const { env, pid, clock } = context;
  const entrance = await readEntrance(context.stdin, options.entry);
  const { place } = entrance;
  const nats = openNats({
    credentials: await readNatsCredentials(context, options),
    timeoutMs: options.handlerTimeoutMs,
  });
  const metrics = createMetrics();
  const device = {
    homeserver: place.homeserver,
    userId: serverUserOf(place.serverName),
    deviceId: SERVER_DEVICE_ID,
  };
  const files = deviceFilesOf(directoriesOf(env), device);
  const lock = await takeDeviceLock(files.lock, pid);
  try {
    const log = openEventLog(context, { logFile: options.logFile, toStdout: true });
    try {
      const health =
        options.healthPort === undefined ? undefined : await openHealth(options.healthPort, metrics, clock);
      if (health !== undefined) context.talk.notice(`health on http://127.0.0.1:${health.port}`);
      try {
        await play(context, options, { entrance, files, nats, metrics, log });
      } finally {
        await health?.close();
      }
    } finally {
      await log.close();
    }
  } finally {
    await nats.close();
    lock.release();
  }
  return 0;
}

interface Parts {
  readonly entrance: Entrance;
  readonly files: { readonly position: string; readonly token: string };
  readonly nats: Nats;
  readonly metrics: Metrics;
  readonly log: EventLog;
}

/** Plays the server user until a signal comes, or its log cannot be written. */
async function play(context: Context, options: GatewayRun, parts: Parts): Promise<void> {
  const { talk, clock, chance, signal } = context;
  const { metrics, log } = parts;
  const { place } = parts.entrance;
  const api = await openServerUser(context, parts);
  const dispatcher = openDispatcher(context, options, parts);
  const stop = new AbortController();
  const pass = (): void => stop.abort(signal.reason);
  if (signal.aborted) pass();
  signal.addEventListener('abort', pass, { once: true });
  log.broken.catch((error: unknown) => stop.abort(error));
  const { rateLimitPerSecond } = options;
  await runGateway({
    reader: openReader(context, parts, api),
    worker: createWorker({
      serverName: place.serverName,
      api,
      dispatcher,
      handlerRetries: options.handlerRetries,
      rateLimit: rateLimitPerSecond === undefined ? undefined : createRateLimit(rateLimitPerSecond, clock),
      clock,
      chance,
      metrics,
      onEvent: (entry) => log.write(entry),
      onFailure: (type, reason) => talk.warn(`the handler of ${type} failed: ${reason}`),
      onRefusal: (type, error) => talk.warn(`an answer of type ${type} was refused: ${error.message}`),
    }),
    dispatcher,
    concurrency: options.handlerConcurrency,
    metrics,
    onReady: async () => {
      await tellReady(context, place);
      log.begin();
    },
    clock,
    signal: stop.signal,
  });
}

/** The client-server API as the server user. Nothing is repeated below it: the reader and the worker see to that. */
async function openServerUser(context: Context, { entrance, files, metrics }: Parts): Promise<ClientApi> {
  const http = (await context.http()).withPolicy({ retries: 0, maxWaitMs: context.globals.maxWaitMs });
  const { homeserver: baseUrl, serverName } = entrance.place;
  const open = (tokens?: TokenSource): ClientApi => openClientApi({ baseUrl, http, tokens });
  const tokens = serverUserTokens({
    logIn: loginBy(entrance.secret, serverUserOf(serverName), open),
    tokenFile: files.token,
    onLogin: () => (metrics.logins += 1),
  });
  return open(tokens);
}

function loginBy(
  secret: Entrance['secret'],
  userId: UserId,
  open: (tokens?: TokenSource) => ClientApi,
): (signal?: AbortSignal) => Promise<string> {
  if ('password' in secret) {
    return (signal) => loginServerUserByPassword(open(), userId, secret.password, signal);
  }
  return (signal) => loginServerUser(open(fixedToken(secret.asToken)), userId, signal);
}

function openDispatcher(
  context: Context,
  { handlers, handlerTimeoutMs, handlerConcurrency }: GatewayRun,
  { entrance: { place }, nats }: Parts,
): Dispatcher {
  const { clock, env } = context;
  return createDispatcher({
    handlerFor: openTable(handlers, {
      server: place.serverName,
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
  });
}

function openReader(
  { talk, clock, chance, globals }: Context,
  { files, metrics }: Parts,
  api: ClientApi,
): QueueReader {
  const stored = readPosition(files.position);
  return new QueueReader({
    source: counted(openBatchSource('v3', api, chance), metrics, clock),
    start: stored?.api === 'v3' ? stored : startOf('v3'),
    freshStart: true,
    retries: globals.retries,
    maxOfflineMs: Infinity,
    store: (position) => writePosition(files.position, position),
    clock,
    chance,
    report: lineReport(talk),
  });
}

async function tellReady({ out }: Context, { homeserver, serverName }: RegistrationPlace): Promise<void> {
  const result = {
    v: 1,
    ready: true,
    homeserver,
    server_name: serverName,
    user_id: serverUserOf(serverName),
  } as const;
  await out.result(result, (palette) => renderGatewayReady(result, palette));
}

async function readNatsCredentials(
  { stdin }: Context,
  { natsCredsFile: file }: GatewayRun,
): Promise<ReturnType<typeof parseNatsCredentials> | undefined> {
  if (file === undefined) return undefined;
  return parseNatsCredentials(await readTextFrom(file, stdin, 'the NATS credentials'), file);
}
