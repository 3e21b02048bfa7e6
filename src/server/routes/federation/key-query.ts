/** `/_matrix/key/v2/query`: the keys of other servers, for those who ask us as a notary. */
import { answerKeyQuery, parseKeyQuery, type KeyQuery } from '../../../federation/notary.js';
import { parseServerName, type ServerName } from '../../../ids/server-name.js';
import { encodeJson, type JsonText } from '../../../wire/json.js';
import { open } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { badJson, invalidParam } from '../../refusal.js';

/**
 * `{"server_keys":[…]}` for `{"server_keys":{serverName:{keyId:{minimum_valid_until_ts?}}}}`, each with our signature
 * added; servers whose keys we cannot get are left out.
 *
 * @see Server-Server API v1.19, "Querying Keys Through Another Server"
 */
export const queryKeys = open('POST', ['/_matrix/key/v2/query'], async (home, call) => {
  const query = parseKeyQuery(call.body(), home.clock.now());
  if ('fault' in query) throw badJson(query.fault);
  return answer(home, query);
});

/** The same for one server. The key ID at the end of the path was given up by the specification. */
export const queryKeysOf = open(
  'GET',
  ['/_matrix/key/v2/query/:serverName', '/_matrix/key/v2/query/:serverName/:keyId'],
  async (home, call) => {
    const minimumMs = parseTimestampMs(call.query('minimum_valid_until_ts')) ?? home.clock.now();
    return answer(home, new Map([[parseName(call.param('serverName')), minimumMs]]));
  },
);

async function answer({ federation, clock }: Homeserver, query: KeyQuery): Promise<JsonText> {
  return encodeJson(await answerKeyQuery(query, federation.identity, federation.keysOf, clock.now()));
}

function parseName(text: string): ServerName {
  try {
    return parseServerName(text);
  } catch {
    throw invalidParam('what is asked for is no server name');
  }
}

function parseTimestampMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw invalidParam('minimum_valid_until_ts is no whole number');
  return Number(text);
}
