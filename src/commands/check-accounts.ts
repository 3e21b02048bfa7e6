/** The accounts that `mx2s check` looks with: sessions of the homeserver under test, and their devices' queues. */
import type { Account } from '../check/bench.js';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { chooseCredentials, chooseProfile } from '../config/credentials.js';
import { variable } from '../config/paths.js';
import { readPosition } from '../config/position.js';
import type { ProfileName } from '../config/profiles.js';
import { appendToSpool } from '../config/spool.js';
import { UsageError } from '../errors.js';
import { isServerUser, type UserId } from '../ids/user-id.js';
import { readBacklog } from '../listen/backlog.js';
import { startOf } from '../listen/queue-reader.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import type { RunOptions, UnaimedOptions } from './check-options.js';
import type { Context } from './context.js';
import { openReader, takeQueueOf, type DeviceQueue } from './device-queue.js';
import { openGiven, openSession, openStored, profileStore, type Session } from './session.js';

/** An account whose queue we hold. */
export interface OpenAccount {
  readonly account: Account;
  /** Acknowledges what was read, and gives the queue back. */
  close(): Promise<void>;
}

/**
 * Aims at the homeserver named, else at that of the credentials: the two come from one source.
 * @throws what `chooseCredentials` and `chooseProfile` throw, where none is named
 */
export async function aimed(context: Context, options: UnaimedOptions): Promise<RunOptions> {
  const { homeserver } = options;
  return { ...options, homeserver: homeserver ?? (await homeserverOfCredentials(context)) };
}

async function homeserverOfCredentials(context: Context): Promise<string> {
  const choice = chooseCredentials(context.globals, context.env);
  if (choice.kind === 'given') return choice.homeserver;
  return chooseProfile(choice, await profileStore(context).read()).homeserver;
}

/**
 * The session that flags, environment and profiles name, and that of the second account if there is one. Nothing is
 * read yet.
 *
 * @throws UsageError when one is of another origin than the homeserver to look at, or of the server user, or when both are
 *   of one account; else like `openSession`
 */
export async function openSessions(
  context: Context,
  options: RunOptions,
): Promise<{ readonly main: Session; readonly other: Session | undefined }> {
  const main = await openMainSession(context, options);
  const other = await openOtherSession(context, options);
  const userId = await userOf(main, context);
  if (other !== undefined && (await userOf(other, context)) === userId) {
    throw new UsageError(`the second account is the first one, ${userId}`, {
      hint: 'name another one, or leave out --other and MX2S_OTHER_ACCESS_TOKEN',
    });
  }
  return { main, other };
}

/** Whose session it is. The server user's queue is read by a gateway, which would lose what is read here. */
async function userOf(session: Session, { signal }: Context): Promise<UserId> {
  const { userId } = await session.identify(signal);
  if (!isServerUser(userId)) return userId;
  throw new UsageError(`the account is ${userId}, which is to be looked at`, {
    hint: 'look with an ordinary user of that homeserver',
  });
}

async function openMainSession(context: Context, { homeserver }: RunOptions): Promise<Session> {
  const choice = chooseCredentials(context.globals, context.env);
  // a profile is held to the homeserver named, and its error names the profile that fits
  const session =
    choice.kind === 'stored' && context.globals.homeserver === undefined
      ? await openSession({ ...context, globals: { ...context.globals, homeserver } })
      : await openSession(context);
  refuseOtherOrigin(
    session.homeserver,
    homeserver,
    `the access token is for ${originOf(session.homeserver)}`,
  );
  return session;
}

/**
 * The session of the second account, which `--other` or the environment names; undefined when neither does.
 * @param homeserver where it has to be; undefined for anywhere
 */
export async function openOtherSession(
  context: Context,
  { homeserver, other }: { readonly homeserver: string | undefined; readonly other: ProfileName | undefined },
): Promise<Session | undefined> {
  if (other !== undefined) {
    const chosen = chooseProfile(
      { kind: 'stored', profile: other, homeserver },
      await profileStore(context).read(),
    );
    return openStored(context, chosen.name, chosen.profile, homeserver);
  }
  const text = variable(context.env, 'MX2S_OTHER_ACCESS_TOKEN');
  if (text === undefined) return undefined;
  const named = variable(context.env, 'MX2S_HOMESERVER');
  if (named === undefined) {
    throw new UsageError('MX2S_OTHER_ACCESS_TOKEN is given, but MX2S_HOMESERVER is not', {
      hint: 'a homeserver and its token come from one source: give MX2S_HOMESERVER, too, or a profile with --other',
    });
  }
  const own = parseHomeserverUrl(named);
  refuseOtherOrigin(own, homeserver ?? own, `MX2S_OTHER_ACCESS_TOKEN is for ${originOf(own)}`);
  return openGiven(context, { kind: 'given', source: 'environment', homeserver: own, token: { text } });
}

/**
 * Takes the queue of a session's device, and lays aside for the user what waits there.
 *
 * @param runId what all events of this run hold
 * @throws DeviceLockedError, SharedDeviceError, and what reading throws
 */
export async function openAccount(
  context: Context,
  session: Session,
  runId: string,
  { sharedDevice, waitMs }: RunOptions,
): Promise<OpenAccount> {
  const queue = await takeQueueOf(session, context, sharedDevice);
  try {
    return await openQueue(context, queue, runId, waitMs);
  } catch (error) {
    queue.release();
    throw error;
  }
}

async function openQueue(
  context: Context,
  queue: DeviceQueue,
  runId: string,
  waitMs: number,
): Promise<OpenAccount> {
  const stored = readPosition(queue.files.position);
  const reader = openReader(context, queue, {
    start: stored?.api === 'v3' ? stored : startOf('v3'),
    freshStart: true,
    maxOfflineMs: waitMs,
  });
  const keep = (events: readonly ToDeviceEvent[]): void => {
    if (events.length > 0) appendToSpool(queue.files.spool, events);
  };
  await readBacklog(reader, context.signal, ({ waiting }) => keep(waiting));
  const isOurs = ({ content }: ToDeviceEvent): boolean => content.includes(runId);
  return {
    account: {
      userId: queue.device.userId,
      deviceId: queue.device.deviceId,
      // a failure that comes again is an answer, too
      api: queue.session.apiWith({
        retries: Math.min(context.globals.retries, MAX_RETRIES),
        maxWaitMs: context.globals.maxWaitMs,
      }),
      inbox: {
        async read(timeoutMs, signal) {
          const batch = await reader.read(timeoutMs, signal);
          const { waiting } = batch;
          keep(waiting.filter((event) => !isOurs(event)));
          reader.advance(batch, waiting.length);
          return waiting.filter(isOurs);
        },
        settle: () => reader.acknowledge(),
      },
    },
    async close() {
      await reader.acknowledge();
      queue.release();
    },
  };
}

function refuseOtherOrigin(homeserver: string, wanted: string, what: string): void {
  if (originOf(homeserver) === originOf(wanted)) return;
  throw new UsageError(`${what}, and not for ${originOf(wanted)}`, {
    hint: 'log in there with mx2s login, and name the profile with --profile',
  });
}

function originOf(url: string): string {
  return new URL(url).origin;
}

const MAX_RETRIES = 1;
