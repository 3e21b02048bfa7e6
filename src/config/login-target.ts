/** Where to log in, and as whom, as people say it. Pure. */
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { UsageError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { parseUserId, serverNameOf } from '../ids/user-id.js';

export interface LoginTarget {
  /** The homeserver's URL, or the server name to find it by; undefined: not said. */
  readonly place: LoginPlace | undefined;
  /** A localpart or a full user ID; undefined: not said. */
  readonly user: string | undefined;
}

/** It was said where. */
export interface PlacedTarget extends LoginTarget {
  readonly place: LoginPlace;
}

/** Where to log in: at a URL, or at the homeserver that serves a name. */
export type LoginPlace = { readonly url: string } | { readonly serverName: ServerName };

/**
 * Reads a URL, a server name, or a user ID, which says both.
 * @throws InvalidInputError when it is none of them
 */
export function parseLoginTarget(text: string): PlacedTarget {
  if (text.startsWith('@')) {
    const user = parseUserId(text, 'historical');
    return { place: { serverName: serverNameOf(user) }, user };
  }
  const place = text.includes('://')
    ? { url: parseHomeserverUrl(text) }
    : { serverName: parseServerName(text) };
  return { place, user: undefined };
}

export interface LoginWords {
  /** The argument. */
  readonly target: string | undefined;
  /** `--homeserver`: a URL, which counts before the server name of a user ID. */
  readonly homeserver: string | undefined;
  /** `--user`: a localpart, or a user ID, which may also say where. */
  readonly user: string | undefined;
}

/**
 * Brings the words of a command line together.
 * @throws UsageError when something is said twice, InvalidInputError when a part does not parse
 */
export function mergeLoginWords({ target, homeserver, user }: LoginWords): LoginTarget {
  const fromArgument: LoginTarget = target === undefined ? NOT_SAID : parseLoginTarget(target);
  const fromUser: LoginTarget =
    user?.startsWith('@') === true ? parseLoginTarget(user) : { ...NOT_SAID, user };
  if (user !== undefined && fromArgument.user !== undefined) {
    throw new UsageError('the user is given twice', { hint: 'leave out --user or the argument' });
  }
  if (homeserver === undefined) {
    return {
      place: fromArgument.place ?? fromUser.place,
      user: fromArgument.user ?? fromUser.user,
    };
  }
  if (fromArgument.place !== undefined && fromArgument.user === undefined) {
    throw new UsageError('the homeserver is given twice', { hint: 'leave out --homeserver or the argument' });
  }
  return { place: { url: parseHomeserverUrl(homeserver) }, user: fromArgument.user ?? fromUser.user };
}

const NOT_SAID: LoginTarget = { place: undefined, user: undefined };
