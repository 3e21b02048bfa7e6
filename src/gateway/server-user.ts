/** The session of the server user, which an application service logs in, or a password. */
import { readFileSync } from 'node:fs';
import { parseAccessToken } from '../client/access-token.js';
import type { TokenSource } from '../client/api.js';
import { replacePrivateFile } from '../config/private-file.js';

export interface ServerUserOptions {
  /** Logs in on the device `""`, and gives the access token. */
  logIn(signal?: AbortSignal): Promise<string>;
  /** Where the access token is kept for the next run. */
  readonly tokenFile: string;
  readonly onLogin: () => void;
}

/**
 * The access tokens of the server user on its device `""`. The first time, and whenever the homeserver refuses the
 * one in use, it logs in again.
 *
 * The token outlives the run, because homeservers know a repeated transaction by it: Synapse tells devices apart
 * by their ID, but not one whose ID is empty.
 *
 * Both functions throw what `logIn` throws, and DiskError.
 */
export function serverUserTokens(options: ServerUserOptions): TokenSource {
  const { tokenFile, onLogin } = options;
  let held: string | undefined;
  let loggingIn: Promise<string> | undefined;

  const logIn = async (signal?: AbortSignal): Promise<string> => {
    const token = parseAccessToken(await options.logIn(signal));
    replacePrivateFile(tokenFile, `${token}\n`);
    onLogin();
    return (held = token);
  };
  /** One at a time: many requests find at once that the token is no good. */
  const logInOnce = (signal?: AbortSignal): Promise<string> =>
    (loggingIn ??= logIn(signal).finally(() => (loggingIn = undefined)));

  return {
    current: async (signal) => (held ??= readToken(tokenFile)) ?? (await logInOnce(signal)),
    renew: async (refused, signal) =>
      held !== undefined && held !== refused ? held : await logInOnce(signal),
  };
}

function readToken(file: string): string | undefined {
  try {
    return parseAccessToken(readFileSync(file, 'utf8').trimEnd());
  } catch {
    return undefined; // none, or none of use
  }
}
