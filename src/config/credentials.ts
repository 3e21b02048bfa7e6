/**
 * Which homeserver, and which token: the rule of one source. Pure; nothing is read here.
 *
 * A homeserver and its token come together, from the flags, else from the profile that `--profile` names,
 * else from the environment, else from the profile that `MX2S_PROFILE` names, else from the current one. They
 * are never mixed: a token must not reach a homeserver that somebody else chose.
 */
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { InvalidInputError, NotLoggedInError, UsageError } from '../errors.js';
import { variable, type Environment } from './paths.js';
import { parseProfileName, type Profile, type ProfileName, type Profiles } from './profiles.js';

export interface CredentialFlags {
  readonly homeserver: string | undefined;
  readonly accessTokenFile: string | undefined;
  readonly profile: string | undefined;
}

/** Which source of credentials won. */
export type CredentialChoice = GivenCredentials | StoredCredentials;

/** Homeserver and token are both named on the command line, or both in the environment. */
export interface GivenCredentials {
  readonly kind: 'given';
  readonly source: 'flag' | 'environment';
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  readonly token: TokenPlace;
}

/** The token itself, or the file that holds it (`-` is stdin). */
export type TokenPlace = { readonly text: string } | { readonly file: string };

/** The token of a profile. */
export interface StoredCredentials {
  readonly kind: 'stored';
  /** undefined: the current one. */
  readonly profile: ProfileName | undefined;
  /** A homeserver named without a token: the profile must be for the same origin. */
  readonly homeserver: string | undefined;
}

/**
 * Decides by flags and environment alone.
 * @throws UsageError for a mix, InvalidInputError for a URL or a profile name that is none
 */
export function chooseCredentials(flags: CredentialFlags, env: Environment): CredentialChoice {
  const homeserver = flags.homeserver;
  if (flags.accessTokenFile !== undefined) {
    if (homeserver === undefined) throw incomplete('--access-token-file', '--homeserver');
    return given('flag', homeserver, { file: flags.accessTokenFile });
  }
  if (flags.profile !== undefined) return stored(flags.profile, homeserver);

  const token = tokenOf(env);
  const envHomeserver = variable(env, 'MX2S_HOMESERVER');
  if (token === undefined) return stored(variable(env, 'MX2S_PROFILE'), homeserver ?? envHomeserver);
  if (homeserver !== undefined) {
    throw new UsageError('--homeserver does not go with the access token of the environment', {
      hint: 'give --access-token-file with it, or set MX2S_HOMESERVER in its place',
    });
  }
  if (envHomeserver === undefined) throw incomplete(token.name, 'MX2S_HOMESERVER');
  return given('environment', envHomeserver, token.place);
}

/**
 * Finds the profile of a choice, and the homeserver that its token may go to.
 *
 * @throws NotLoggedInError when there is no current profile, InvalidInputError when there is none of that name,
 *   UsageError when the homeserver named is another origin than the token's
 */
export function chooseProfile(
  { profile: wanted, homeserver }: StoredCredentials,
  profiles: Profiles,
): { readonly name: ProfileName; readonly profile: Profile; readonly homeserver: string } {
  const name = wanted ?? profiles.current;
  if (name === undefined) throw notLoggedIn(profiles);
  const profile = profiles.byName.get(name);
  if (profile === undefined) throw unknownProfile(name);
  if (homeserver !== undefined && originOf(homeserver) !== originOf(profile.homeserver)) {
    throw otherOrigin(homeserver, name, profiles);
  }
  return { name, profile, homeserver: homeserver ?? profile.homeserver };
}

/** The error for a profile that is not there. */
export function unknownProfile(name: ProfileName): InvalidInputError {
  return new InvalidInputError(`there is no profile ${name}`, {
    hint: `mx2s profiles lists them, mx2s login --profile ${name} makes it`,
  });
}

function given(source: GivenCredentials['source'], homeserver: string, token: TokenPlace): GivenCredentials {
  return { kind: 'given', source, homeserver: parseHomeserverUrl(homeserver), token };
}

function stored(profile: string | undefined, homeserver: string | undefined): StoredCredentials {
  return {
    kind: 'stored',
    profile: profile === undefined ? undefined : parseProfileName(profile),
    homeserver: homeserver === undefined ? undefined : parseHomeserverUrl(homeserver),
  };
}

function tokenOf(env: Environment): { readonly place: TokenPlace; readonly name: string } | undefined {
  const text = variable(env, 'MX2S_ACCESS_TOKEN');
  const file = variable(env, 'MX2S_ACCESS_TOKEN_FILE');
  if (text !== undefined && file !== undefined) {
    throw new UsageError('MX2S_ACCESS_TOKEN and MX2S_ACCESS_TOKEN_FILE are both set', {
      hint: 'unset one of them',
    });
  }
  if (text !== undefined) return { place: { text }, name: 'MX2S_ACCESS_TOKEN' };
  return file === undefined ? undefined : { place: { file }, name: 'MX2S_ACCESS_TOKEN_FILE' };
}

function incomplete(has: string, lacks: string): UsageError {
  return new UsageError(`${has} is given, but ${lacks} is not`, {
    hint: `a homeserver and its token come from one source: give ${lacks}, too`,
  });
}

function notLoggedIn({ byName }: Profiles): NotLoggedInError {
  if (byName.size === 0) {
    return new NotLoggedInError('you are not logged in', {
      hint: 'run mx2s login, or set MX2S_HOMESERVER and MX2S_ACCESS_TOKEN',
    });
  }
  return new NotLoggedInError('no profile is the current one', {
    hint: `choose one with mx2s profiles use NAME: ${[...byName.keys()].join(', ')}`,
  });
}

function otherOrigin(homeserver: string, name: ProfileName, { byName }: Profiles): UsageError {
  const origin = originOf(homeserver);
  const fitting = [...byName].find(([, profile]) => originOf(profile.homeserver) === origin)?.[0];
  return new UsageError(`the token of profile ${name} is not for ${origin}`, {
    hint:
      fitting === undefined
        ? `log in there with mx2s login ${homeserver} --profile NAME, or give its token with --access-token-file`
        : `use the profile for it: --profile ${fitting}`,
  });
}

function originOf(homeserver: string): string {
  return new URL(homeserver).origin;
}
