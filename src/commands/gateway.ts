/** `mx2s gateway`: gives an existing homeserver its server user. */
import { resolve } from 'node:path';
import type { ClientApi, TokenSource } from '../client/api.js';
import { openClientApi } from '../client/open.js';
import { loginServerUser, loginServerUserByPassword } from '../client/server-user.js';
import { deviceFilesOf } from '../config/device-files.js';
import { takeDeviceLock } from '../config/lock.js';
import { directoriesOf } from '../config/paths.js';
import { PositionKeeper } from '../config/position-keeper.js';
import { readPosition } from '../config/position.js';
import { fixedToken } from '../config/token-source.js';
import type { ExitCode } from '../exit-codes.js';
import { createMetrics, type Metrics } from '../gateway/metrics.js';
import { createRegistration, type RegistrationPlace } from '../gateway/registration.js';
import { counted, runGateway, storeFor } from '../gateway/run.js';
import { serverUserTokens } from '../gateway/server-user.js';
import { runTogether } from '../gateway/together.js';
import { createWorker } from '../gateway/worker.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import { serverUserOf, type UserId } from '../ids/user-id.js';
import { openBatchSource } from '../listen/batch-source.js';
import { QueueReader, startOf } from '../listen/queue-reader.js';
import { createRateLimit } from '../server/rate-limit.js';
import { queueRulesOf } from '../subsystems/table.js';
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
import { leaveQueue, lineReport } from './device-queue.js';
import { readEntrance, type Entrance } from './gateway-entrance.js';
import {
  configureGateway,
  parseGatewayOptions,
  type GatewayCommand,
  type GatewayInit,
  type GatewayRun,
} from './gateway-options.js';
import { takePart, runMember } from './gateway-queue.js';
import { onStage, type Stage } from './gateway-stage.js';

export const gateway = define<GatewayCommand>({
  configure: configureGateway,
  options: parseGatewayOptions,
  run: (context, options) => {
    switch (options.action) {
      case 'init':
        return init(context, options);
      case 'run':
        return run(context, options);
      case 'member':
        return runMember(context, options);
    }
  },
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
  const { env, pid } = context;
  const entrance = await readEntrance(context.stdin, options.entry);
  const { place } = entrance;
  const device = {
    homeserver: place.homeserver,
    userId: serverUserOf(place.serverName),
    deviceId: SERVER_DEVICE_ID,
  };
  const files = await deviceFilesOf(directoriesOf(env), device);
  const metrics = createMetrics();
  const lock = await takeDeviceLock(files.lock, pid);
  const positions = new PositionKeeper(files.position, context.clock);
  try {
    await onStage(context, options, metrics, (stage) => {
      const parts = { entrance, files, positions, metrics, stage };
      const roles = [(signal: AbortSignal) => play(context, options, parts, signal)];
      const role = queueRole(context, options, parts);
      if (role !== undefined) roles.push(role);
      return runTogether(roles, stage.signal);
    });
  } finally {
    leaveQueue(positions, lock);
  }
  return 0;
}

interface Parts {
  readonly entrance: Entrance;
  readonly files: { readonly position: string; readonly token: string };
  readonly positions: PositionKeeper;
  readonly metrics: Metrics;
  readonly stage: Stage;
}

/** Plays the server user until the signal aborts. */
async function play(context: Context, options: GatewayRun, parts: Parts, signal: AbortSignal): Promise<void> {
  const { talk, clock, chance } = context;
  const { metrics, stage } = parts;
  const { place } = parts.entrance;
  const api = await openServerUser(context, parts);
  const dispatcher = stage.openDispatcher(options.handlers, place.serverName);
  const { rateLimitPerSecond } = options;
  await runGateway({
    reader: openReader(context, parts, api),
    worker: createWorker({
      serverName: place.serverName,
      api,
      dispatcher,
      handlerRetries: options.handlerRetries,
      handlerWaitMs: options.handlerWaitMs,
      rateLimit: rateLimitPerSecond === undefined ? undefined : createRateLimit(rateLimitPerSecond, clock),
      clock,
      chance,
      metrics,
      onEvent: (entry) => stage.log.write(entry),
      onFailure: (type, reason) => talk.warn(`the handler of ${type} failed: ${reason}`),
      onRefusal: (type, error) => talk.warn(`an answer of type ${type} was refused: ${error.message}`),
    }),
    dispatcher,
    concurrency: options.handlerConcurrency,
    metrics,
    onReady: async () => {
      await tellReady(context, place);
      stage.log.begin();
    },
    clock,
    signal,
  });
}

/** Its part as a member of the queue group; undefined where others handle everything that it hands over. */
function queueRole(
  context: Context,
  options: GatewayRun,
  { entrance, metrics, stage }: Parts,
): ((signal: AbortSignal) => Promise<void>) | undefined {
  const { queue } = options;
  const rules = queueRulesOf(options.handlers);
  if (queue === undefined) return undefined;
  if (rules.services.length === 0) {
    context.talk.notice(
      `others answer in the queue group ${queue}: no nats:// rule has a handler of ours below it`,
    );
    return undefined;
  }
  return (signal) =>
    takePart(context, stage, {
      options,
      queue,
      rules,
      serverName: entrance.place.serverName,
      metrics,
      // what it hands over to itself is told of where it was read
      onEvent: () => undefined,
      onFailure: () => undefined,
      retries: Infinity,
      onReady: () => Promise.resolve(),
      signal,
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

function openReader(
  { talk, clock, chance, globals }: Context,
  { files, positions, metrics }: Parts,
  api: ClientApi,
): QueueReader {
  const stored = readPosition(files.position);
  return new QueueReader({
    source: counted(openBatchSource('v3', api, chance), metrics, clock),
    start: stored?.api === 'v3' ? stored : startOf('v3'),
    freshStart: true,
    retries: globals.retries,
    maxOfflineMs: Infinity,
    store: storeFor(positions),
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
