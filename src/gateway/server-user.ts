/** The session of the server user: who has no password, and is logged in by the application service. */
import { readFileSync } from 'node:fs';
import { parseAccessToken } from '../client/access-token.js';
import type { ClientApi, TokenSource } from '../client/api.js';
import { loginServerUser, registerServerUser } from '../client/application-service.js';
import { replacePrivateFile } from '../config/private-file.js';
import type { UserId } from '../ids/user-id.js';

export interface ServerUserOptions {
  /** Whose token is that of the application service. */
  readonly asApi: ClientApi;
  readonly userId: UserId;
  /** Where the access token is kept for the next run. */
  readonly tokenFile: string;
  readonly onLogin: () => void;
}

/**
 * The access tokens of the server user on its device `""`. The first time, and whenever the homeserver refuses the
 * one in use, its account is made sure of and it logs in again.
 *
 * The token outlives the run, because homeservers know a repeated transaction by it: Synapse tells devices apart
 * by their ID, but not one whose ID is empty.
 *
 * Both functions throw what the homeserver answers to the application service, and DiskError.
 */
export function serverUserTokens(options: ServerUserOptions): TokenSource {
  const { asApi, userId, tokenFile, onLogin } = options;
  let held: string | undefined;
  let loggingIn: Promise<string> | undefined;

  const logIn = async (signal?: AbortSignal): Promise<string> => {
    await registerServerUser(asApi, signal);
    const token = parseAccessToken(await loginServerUser(asApi, userId, signal));
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
