/**
 * `mx2s logout`: ends a session and forgets it.
 *
 * The profile goes in any case, as whoever types this wants no token on this machine any longer. Where the
 * homeserver did not confirm that the session is over, that is said: its token may still be good.
 */
import { logout as endSession } from '../client/logout.js';
import { chooseCredentials, chooseProfile } from '../config/credentials.js';
import { deviceFilesOf } from '../config/device-files.js';
import { directoriesOf } from '../config/paths.js';
import { removeFile } from '../config/private-file.js';
import { withoutProfile, type Profile, type ProfileName, type Profiles } from '../config/profiles.js';
import { openSpool } from '../config/spool.js';
import { Mx2sError, UsageError } from '../errors.js';
import { renderLogout, type LogoutResult } from '../ui/render/profiles.js';
import type { Context } from './context.js';
import { addExamples, define } from './define.js';
import { openStored, profileStore } from './session.js';

export interface LogoutOptions {
  /** Every profile; no session but theirs. */
  readonly all: boolean;
}

export const logout = define<LogoutOptions>({
  configure: (command) => {
    command.option('--all', 'every profile (other sessions of the accounts stay open)');
    addExamples(command, ['mx2s logout', 'mx2s logout --profile work', 'mx2s logout --all']);
  },
  options: ({ flags, globals }) => {
    const all = flags.given('all');
    if (all && globals.profile !== undefined) {
      throw new UsageError('--all and --profile exclude each other', { hint: 'give one of them' });
    }
    return { all };
  },
  run: async (context, { all }) => {
    const stored = await profileStore(context).read();
    if (all && stored.byName.size === 0) context.talk.notice('no profiles: nothing to log out of');
    for (const [name, profile] of all ? stored.byName : [chosen(context, stored)]) {
      await logoutOf(context, name, profile);
    }
    return 0;
  },
});

/** @throws UsageError, InvalidInputError, NotLoggedInError */
function chosen({ globals, env }: Context, stored: Profiles): readonly [ProfileName, Profile] {
  const choice = chooseCredentials(globals, env);
  if (choice.kind === 'given') {
    throw new UsageError(
      `the access token comes from ${SOURCES[choice.source]}, and logout is for profiles`,
      {
        hint: 'name the profile: mx2s logout --profile NAME',
      },
    );
  }
  const { name, profile } = chooseProfile(choice, stored);
  return [name, profile];
}

async function logoutOf(context: Context, name: ProfileName, profile: Profile): Promise<void> {
  const session = await endRemotely(context, name, profile);
  await profileStore(context).update((stored) => withoutProfile(stored, name), context.signal);
  await forgetDevice(context, profile);
  const { homeserver, userId, deviceId } = profile;
  const result: LogoutResult = {
    v: 1,
    profile: name,
    homeserver,
    user_id: userId,
    device_id: deviceId,
    session,
  };
  await context.out.result(result, (palette) => renderLogout(result, palette));
}

/** The homeserver deletes the device and what waits for it; what is kept here for it is of no use then. */
async function forgetDevice({ env, talk }: Context, profile: Profile): Promise<void> {
  const files = await deviceFilesOf(directoriesOf(env), profile);
  const { length } = openSpool(files.spool).waiting;
  if (length > 0) talk.warn(`${length} events that no listen has printed yet are thrown away`);
  removeFile(files.position);
  removeFile(files.spool);
}

async function endRemotely(
  context: Context,
  name: ProfileName,
  profile: Profile,
): Promise<LogoutResult['session']> {
  try {
    const { api } = await openStored(context, name, profile);
    await endSession(api, context.signal);
    return 'ended';
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof Mx2sError)) throw error;
    if (error.code === 'token_refused') {
      context.talk.notice(`the session of profile ${name} was over already`);
      return 'over';
    }
    context.talk.warn(
      `the session of profile ${name} may still be open (device ${profile.deviceId}): ${error.message}`,
    );
    return 'unknown';
  }
}

const SOURCES = { flag: 'the command line', environment: 'the environment' } as const;
