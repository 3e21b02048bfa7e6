/**
 * The registration of the gateway as an application service: a file that the homeserver and the gateway both read.
 *
 * It claims one user, the server's own, and is pushed nothing (`url: null`): what a homeserver pushes to an
 * application service it does not push again, `/sync` gives it until it is acknowledged.
 *
 * @see Application Service API v1.19, "Registration"
 */
import type { Chance } from '../chance.js';
import { parseAccessToken } from '../client/access-token.js';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { InvalidInputError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';

/** Whose server user the gateway plays, and where. */
export interface RegistrationPlace {
  /** As `parseHomeserverUrl` gives it. */
  readonly homeserver: string;
  readonly serverName: ServerName;
}

/** What the gateway needs of the file. A part that a file written by hand lacks is undefined. */
export interface Registration {
  readonly homeserver: string | undefined;
  readonly serverName: ServerName | undefined;
  /** A secret. */
  readonly asToken: string;
}

/**
 * The text of a new file, with fresh tokens. What the specification does not know is under `mx2s.gateway`, which
 * homeservers pass over.
 */
export async function createRegistration(
  { homeserver, serverName }: RegistrationPlace,
  chance: Pick<Chance, 'bytes'>,
): Promise<string> {
  const { stringify } = await import('yaml');
  const registration = {
    id: REGISTRATION_ID,
    url: null,
    as_token: createToken(chance),
    hs_token: createToken(chance),
    sender_localpart: SENDER_LOCALPART,
    rate_limited: false,
    namespaces: {
      users: [{ exclusive: true, regex: namespaceRegex(serverName) }],
      rooms: [],
      aliases: [],
    },
    [OWN_KEY]: { homeserver, server_name: serverName },
  };
  return `${HEADER}${stringify(registration, { lineWidth: 0 })}`;
}

/**
 * Reads a registration, as `createRegistration` or a hand wrote it.
 *
 * @param file its name, for errors
 * @throws InvalidInputError, which shows nothing that is secret
 */
export async function parseRegistration(text: string, file: string): Promise<Registration> {
  const { parse } = await import('yaml');
  let root: unknown;
  try {
    root = parse(text, { logLevel: 'error', prettyErrors: false, maxAliasCount: 0 });
  } catch {
    throw unusable(file, 'it is no YAML'); // the package's own words may quote the tokens
  }
  const asToken = memberOf(root, 'as_token');
  if (typeof asToken !== 'string') throw unusable(file, 'it has no as_token');
  const own = memberOf(root, OWN_KEY);
  const homeserver = memberOf(own, 'homeserver');
  const serverName = memberOf(own, 'server_name');
  return {
    asToken: parseAccessToken(asToken),
    homeserver: typeof homeserver === 'string' ? parseHomeserverUrl(homeserver) : undefined,
    serverName: typeof serverName === 'string' ? parseServerName(serverName) : undefined,
  };
}

/** Matches the server user and no other user. */
function namespaceRegex(serverName: ServerName): string {
  return `^${serverUserOf(serverName).replace(/[.[\]]/g, '\\$&')}$`;
}

function createToken(chance: Pick<Chance, 'bytes'>): string {
  return Buffer.from(chance.bytes(TOKEN_BYTES)).toString('hex');
}

function memberOf(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function unusable(file: string, why: string): InvalidInputError {
  return new InvalidInputError(`${file} is no registration of an application service: ${why}`, {
    at: '--registration',
    hint: 'mx2s gateway init makes one',
  });
}

const REGISTRATION_ID = 'mx2s-gateway';
/** The user that the application service is by itself; it does nothing. */
const SENDER_LOCALPART = '_mx2s_gateway';
const OWN_KEY = 'mx2s.gateway';
const TOKEN_BYTES = 32;
const HEADER = `# Lets mx2s gateway be the server user of this homeserver (MSC4246). The tokens are secrets.\n`;
