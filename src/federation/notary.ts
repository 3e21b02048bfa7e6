/**
 * Answers to those who ask us for the keys of other servers.
 *
 * @see Server-Server API v1.19, "Querying keys through another server"
 */
import { parseServerName, serverNameFault, type ServerName } from '../ids/server-name.js';
import { member, numberMember, type JsonNode, type JsonObject } from '../wire/json.js';
import { publishedKeys, signedBy, type Identity, type KeyFault, type ServerKeys } from './server-keys.js';

/** Until when the keys of each server should at least be good, in milliseconds since the epoch. */
export type KeyQuery = ReadonlyMap<ServerName, number>;

/** How to come by keys: `KeyRing.keysOf`. */
export type KeysOf = (serverName: ServerName, minimumMs: number) => Promise<ServerKeys | KeyFault>;

/**
 * Reads the body of `POST /_matrix/key/v2/query`. Which keys are asked for does not matter: objects go out whole.
 * What is no server name is left out, as nobody has its keys. Never throws.
 */
export function parseKeyQuery(body: JsonNode, nowMs: number): KeyQuery | KeyFault {
  const servers = member(body, 'server_keys');
  if (servers?.kind !== 'object') return { fault: 'server_keys is missing or no object' };
  if (servers.members.length > MAX_SERVERS) return { fault: `more than ${String(MAX_SERVERS)} servers` };
  const query = new Map<ServerName, number>();
  for (const { key: name, value: keys } of servers.members) {
    if (keys.kind !== 'object') return { fault: 'the keys of a server are no object' };
    const minimumMs = keys.members.reduce(
      (latest, { value }) => Math.max(latest, numberMember(value, 'minimum_valid_until_ts') ?? nowMs),
      nowMs,
    );
    if (serverNameFault(name) === undefined) query.set(parseServerName(name), minimumMs);
  }
  return query;
}

/** `{"server_keys":[…]}`, each object with our signature added. Servers whose keys we cannot get are left out. */
export async function answerKeyQuery(
  query: KeyQuery,
  identity: Identity,
  keysOf: KeysOf,
  nowMs: number,
): Promise<JsonObject> {
  const answers = await Promise.all(
    [...query].map(async ([serverName, minimumMs]) => {
      if (serverName === identity.serverName) return [publishedKeys(identity, nowMs)];
      const keys = await keysOf(serverName, minimumMs);
      return 'fault' in keys ? [] : [signedBy(keys.object, identity.serverName, identity.keys[0])];
    }),
  );
  return {
    kind: 'object',
    members: [{ key: 'server_keys', value: { kind: 'array', items: answers.flat() } }],
  };
}

/** Each may cost us a request. */
const MAX_SERVERS = 100;
