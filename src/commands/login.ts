/** `mx2s login`: finds a homeserver, logs in there, and stores the session as a profile. */
import { parseAccessToken } from '../client/access-token.js';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import {
  mergeLoginWords,
  parseLoginTarget,
  type LoginTarget,
  type PlacedTarget,
} from '../config/login-target.js';
import {
  endSession,
  findHomeserver,
  profileByPassword,
  profileByToken,
  requirePasswordFlow,
  type LoginTools,
} from '../config/login.js';
import { variable } from '../config/paths.js';
import { DEFAULT_PROFILE, parseProfileName, withProfile, type Profile } from '../config/profiles.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { readSecretFrom } from '../ui/file-input.js';
import { openPrompter, type Prompter } from '../ui/prompt.js';
import { renderLogin, type LoginResult } from '../ui/render/profiles.js';
import type { Context } from './context.js';
import { addExamples, define } from './define.js';
import { profileStore } from './session.js';

export interface LoginOptions extends LoginTarget {
  /** `-` is stdin. */
  readonly passwordFile: string | undefined;
  /** `-` is stdin. */
  readonly accessTokenFile: string | undefined;
  /** What the account's list of sessions calls this one. */
  readonly deviceName: string;
}

export const login = define<LoginOptions>({
  configure: (command) => {
    command
      .argument('[target]', 'the homeserver (a URL or a server name), or @user:domain')
      .option('--user <name>', 'the user: a localpart or a full user ID')
      .option('--password-file <file>', 'read the password from a file, or - for stdin (else MX2S_PASSWORD)')
      .option('--device-name <name>', "what the account's list of sessions calls this one", 'mx2s');
    addExamples(command, [
      'mx2s login @alice:example.org',
      'mx2s login http://127.0.0.1:8008 --user alice --password-file - < password.txt',
      'mx2s login --homeserver https://matrix.example.org --access-token-file token.txt --profile bot',
    ]);
  },
  options: ({ args: [target], flags, globals }) => {
    const passwordFile = flags.text('passwordFile');
    if (passwordFile !== undefined && globals.accessTokenFile !== undefined) {
      throw new UsageError('--password-file and --access-token-file exclude each other', {
        hint: 'give one of them',
      });
    }
    return {
      ...mergeLoginWords({ target, homeserver: globals.homeserver, user: flags.text('user') }),
      passwordFile,
      accessTokenFile: globals.accessTokenFile,
      deviceName: flags.text('deviceName') ?? 'mx2s',
    };
  },
  run: async (context, options) => {
    const store = profileStore(context);
    const name = parseProfileName(
      context.globals.profile ?? variable(context.env, 'MX2S_PROFILE') ?? DEFAULT_PROFILE,
    );
    const previous = (await store.read()).byName.get(name);
    const profile = await logIn(context, options, previous);
    const { current } = await store
      .update((profiles) => withProfile(profiles, name, profile))
      .catch((error: unknown) => endUnstored(context, profile, error));

    if (previous !== undefined && !isSameDevice(previous, profile)) {
      context.talk.notice(
        `profile ${name} held device ${previous.deviceId} of ${previous.userId}, whose session is still open`,
      );
    }
    if (current !== name) {
      context.talk.notice(`the current profile is still ${current}: mx2s profiles use ${name} changes that`);
    }
    const { homeserver, userId, deviceId } = profile;
    const result: LoginResult = {
      v: 1,
      profile: name,
      homeserver,
      user_id: userId,
      device_id: deviceId,
      config_file: store.file,
    };
    await context.out.result(result, (palette) => renderLogin(result, palette));
    return 0;
  },
});

/** A session that was made and could not be stored is ended. @throws `error`, which kept it from being stored */
async function endUnstored(context: Context, profile: Profile, error: unknown): Promise<never> {
  if (profile.ownDevice) await endSession(profile, await loginTools(context));
  throw error;
}

async function loginTools({ http, clock, signal, talk }: Context): Promise<LoginTools> {
  return { http: await http(), clock, signal, notice: (text) => talk.notice(text) };
}

function isSameDevice(a: Profile, b: Profile): boolean {
  return a.userId === b.userId && a.deviceId === b.deviceId;
}

async function logIn(
  context: Context,
  options: LoginOptions,
  previous: Profile | undefined,
): Promise<Profile> {
  const { stdin, talk, signal } = context;
  const prompter = openPrompter(stdin, talk, signal);
  const secret = await secretGiven(context, options);
  const known = withDefaults(options, variable(context.env, 'MX2S_HOMESERVER'), previous);
  if (!prompter.canAsk) requireAll(known, secret);

  const { place, user } = await placed(known, prompter);
  const tools = await loginTools(context);
  const homeserver = await findHomeserver(place, tools);
  if (secret !== undefined && 'accessToken' in secret) {
    return profileByToken({ homeserver, user, accessToken: secret.accessToken }, tools);
  }
  await requirePasswordFlow(homeserver, tools);
  const who = user ?? (await prompter.text('user:'));
  const password = secret?.password ?? (await prompter.hidden(`password for ${who}:`));
  return profileByPassword(
    { homeserver, user: who, password, deviceName: options.deviceName, previous },
    tools,
  );
}

type Secret = { readonly accessToken: string } | { readonly password: string };

/** What need not be asked for. Read before anything is sent, so that a bad file is told first. */
async function secretGiven({ env, stdin }: Context, options: LoginOptions): Promise<Secret | undefined> {
  if (options.accessTokenFile !== undefined) {
    const text = await readSecretFrom(options.accessTokenFile, stdin, 'the access token');
    return { accessToken: parseAccessToken(text) };
  }
  if (options.passwordFile === undefined) {
    const password = variable(env, 'MX2S_PASSWORD');
    return password === undefined ? undefined : { password };
  }
  const password = await readSecretFrom(options.passwordFile, stdin, 'the password');
  if (password === '') throw new InvalidInputError('the password is empty', { at: '--password-file' });
  return { password };
}

/** Where nothing is said at all, the session that the profile holds is meant: its user logs in again. */
function withDefaults(
  { place, user }: LoginTarget,
  envHomeserver: string | undefined,
  previous: Profile | undefined,
): LoginTarget {
  if (place !== undefined) return { place, user };
  if (envHomeserver !== undefined) return { place: { url: parseHomeserverUrl(envHomeserver) }, user };
  if (previous === undefined || user !== undefined) return { place, user };
  return { place: { url: previous.homeserver }, user: previous.userId };
}

/** @throws UsageError naming the flags for what is missing */
function requireAll({ place, user }: LoginTarget, secret: Secret | undefined): void {
  const byToken = secret !== undefined && 'accessToken' in secret;
  const missing = [
    ...(place === undefined ? ['--homeserver URL'] : []),
    ...(user === undefined && !byToken ? ['--user NAME'] : []),
    ...(secret === undefined ? ['--password-file FILE'] : []),
  ];
  if (missing.length === 0) return;
  throw new UsageError(`there is no terminal to ask on: give ${missing.join(', ')}`, {
    hint: 'for example: mx2s login @user:domain --password-file FILE',
  });
}

async function placed({ place, user }: LoginTarget, prompter: Prompter): Promise<PlacedTarget> {
  if (place !== undefined) return { place, user };
  const asked = parseLoginTarget(await prompter.text('homeserver, or your @user:domain:'));
  return { place: asked.place, user: user ?? asked.user };
}
