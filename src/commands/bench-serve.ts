/** `mx2s bench serve`: how fast the embedded homeserver is, here and now. */
import { runLoad } from '../bench/load.js';
import { REQUESTS_PER_ROUND, roundsOf, type Runner } from '../bench/round.js';
import { openClientApi } from '../client/open.js';
import { fixedToken } from '../config/token-source.js';
import { startServeProcess, withoutOurs, type ServeProcess } from '../demo/serve-process.js';
import type { ExitCode } from '../exit-codes.js';
import type { ServeBench } from './bench-options.js';
import { boundsOf, conclude, print, timedPart, withProgress } from './bench-report.js';
import { ONCE } from './bench-send.js';
import type { Context } from './context.js';

export async function benchServe(context: Context, options: ServeBench): Promise<ExitCode> {
  const { talk, selfCommand, env, signal } = context;
  const users = Array.from({ length: options.concurrency }, (_, index) => `--user=bench${index + 1}`);
  talk.notice(
    `starts an embedded homeserver, and makes ${options.count} rounds of sendToDevice and sync: ${boundsOf(options)}`,
  );
  const server = await startServeProcess({
    program: selfCommand,
    flags: users,
    env: withoutOurs(env),
    signal,
  });
  try {
    return await benchServer(context, options, server);
  } finally {
    await server.stop();
  }
}

async function benchServer(context: Context, options: ServeBench, server: ServeProcess): Promise<ExitCode> {
  const { clock, signal } = context;
  const http = (await context.http()).withPolicy(ONCE);
  const runners: Runner[] = server.users.map(({ userId, deviceId, accessToken }) => ({
    api: openClientApi({ baseUrl: server.homeserver, http, tokens: fixedToken(accessToken) }),
    userId,
    deviceId,
  }));
  const result = await withProgress(context, options.count, (onProgress) =>
    runLoad({
      ...options,
      work: roundsOf(runners),
      onProgress,
      clock,
      signal,
    }),
  );
  await print(
    context,
    {
      v: 1,
      bench: 'serve',
      rounds: result.done,
      failed: result.failed,
      unanswered: result.abandoned,
      requests_per_round: REQUESTS_PER_ROUND,
      ...timedPart(options, result),
    },
    result.latency,
  );
  return conclude(context, options, result);
}
