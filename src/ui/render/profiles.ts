/** What `login`, `logout`, `whoami` and `profiles` print: the JSON objects, and the same for people. */
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';

/** The JSON object of `login`. */
export interface LoginResult {
  readonly v: 1;
  readonly profile: string;
  readonly homeserver: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly config_file: string;
}

/** The JSON object of `logout`, one a profile. */
export interface LogoutResult {
  readonly v: 1;
  readonly profile: string;
  readonly homeserver: string;
  readonly user_id: string;
  readonly device_id: string;
  /** What became of the session: we ended it, it was over already, or the homeserver did not say. */
  readonly session: 'ended' | 'over' | 'unknown';
}

/** The JSON object of `whoami`. */
export interface WhoamiResult {
  readonly v: 1;
  readonly user_id: string;
  /** Not there for a token without a device. */
  readonly device_id?: string | undefined;
  readonly homeserver: string;
  readonly source: 'flag' | 'environment' | 'profile';
  readonly profile?: string | undefined;
}

/** The JSON object of `profiles`, one a profile, and of `profiles use`. */
export interface ProfileResult {
  readonly v: 1;
  readonly profile: string;
  readonly homeserver: string;
  readonly user_id: string;
  readonly device_id: string;
  readonly current: boolean;
}

/** Two lines: who, and where it was stored. */
export function renderLogin(result: LoginResult, palette: Palette): string {
  return [
    `logged in as ${palette.name(escapeText(result.user_id))} at ${escapeText(result.homeserver)}, device ${escapeText(result.device_id)}`,
    palette.faint(`profile ${result.profile} in ${escapeText(result.config_file)}`),
  ].join('\n');
}

/** A line. */
export function renderLogout(result: LogoutResult, palette: Palette): string {
  const user = palette.name(escapeText(result.user_id));
  return `${result.session === 'unknown' ? 'forgot' : 'logged out'} ${user}, profile ${result.profile} is gone`;
}

/** A line. */
export function renderWhoami(result: WhoamiResult, palette: Palette): string {
  const device = result.device_id === undefined ? 'no device' : `device ${escapeText(result.device_id)}`;
  const source = result.profile === undefined ? SOURCES[result.source] : `profile ${result.profile}`;
  return `${palette.name(escapeText(result.user_id))} at ${escapeText(result.homeserver)}, ${device} ${palette.faint(`(${source})`)}`;
}

/** A line; the current profile has a star. `nameWidth` lines the columns up. */
export function renderProfile(result: ProfileResult, palette: Palette, nameWidth: number): string {
  const name = result.profile.padEnd(nameWidth);
  return [
    result.current ? palette.good('*') : ' ',
    result.current ? palette.strong(name) : name,
    palette.name(escapeText(result.user_id)),
    escapeText(result.device_id),
    palette.faint(escapeText(result.homeserver)),
  ].join('  ');
}

const SOURCES: Readonly<Record<WhoamiResult['source'], string>> = {
  flag: 'from the command line',
  environment: 'from the environment',
  profile: 'from a profile',
};
