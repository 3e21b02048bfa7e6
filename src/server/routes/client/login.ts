/** `GET` and `POST /_matrix/client/v3/login`: passwords only. */
import { parseUserId, serverNameOf, serverUserOf, type UserId } from '../../../ids/user-id.js';
import { jsonTextOf, type JsonObject } from '../../../wire/json.js';
import { booleanField, objectField, requiredStringField, stringField } from '../../body.js';
import { open, stable } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { verifyPassword } from '../../passwords.js';
import { Refusal, forbidden, missingParam } from '../../refusal.js';
import { logIn } from '../../sessions.js';

/** `{"flows":[{"type":"m.login.password"}]}` */
export const loginFlows = open('GET', stable('/login'), async () =>
  jsonTextOf({ flows: [{ type: 'm.login.password' }] }),
);

/**
 * Logs in with `{type,identifier:{type,user},password,device_id?,initial_device_display_name?,refresh_token?}`.
 * Nobody logs in as the server user, by whatever means.
 *
 * @see Client-Server API v1.19, `POST /login`
 */
export const login = open('POST', stable('/login'), async (home, call) => {
  const body = call.body();
  const type = requiredStringField(body, 'type');
  const userId = parseUser(home, body);
  if (type !== 'm.login.password')
    throw new Refusal(400, 'M_UNKNOWN', 'the only login type is m.login.password');
  await checkPassword(home, userId, requiredStringField(body, 'password'));
  return logIn(home, userId, {
    deviceId: stringField(body, 'device_id'),
    displayName: stringField(body, 'initial_device_display_name'),
    canRefresh: booleanField(body, 'refresh_token'),
  });
});

/** The account meant: a localpart or a whole user ID, under `identifier` or, as it was once, under `user`. */
function parseUser(home: Homeserver, body: JsonObject): UserId {
  const identifier = objectField(body, 'identifier');
  if (identifier !== undefined && requiredStringField(identifier, 'type') !== 'm.id.user') {
    throw new Refusal(400, 'M_UNKNOWN', 'the only identifier type is m.id.user');
  }
  const user = stringField(identifier ?? body, 'user');
  if (user === undefined) throw missingParam('identifier.user');
  const id = user.startsWith('@') ? user : `@${user}:${home.serverName}`;
  if (id === serverUserOf(home.serverName)) throw forbidden('nobody logs in as the server');
  try {
    const userId = parseUserId(id, 'historical');
    if (serverNameOf(userId) === home.serverName) return userId;
  } catch {
    // not an ID: there is no such account
  }
  throw WRONG;
}

async function checkPassword(home: Homeserver, userId: UserId, password: string): Promise<void> {
  const hash = (await home.store.account(userId))?.passwordHash;
  if (hash === undefined || !(await verifyPassword(password, hash))) throw WRONG;
}

const WRONG = forbidden('wrong user name or password');
