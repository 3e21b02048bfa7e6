/** `GET` and `POST /_matrix/client/v3/login`: passwords only. */
import { parseUserId, serverNameOf, type UserId } from '../../../ids/user-id.js';
import { jsonTextOf } from '../../../wire/json.js';
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
  const identifier = objectField(body, 'identifier');
  const user = stringField(identifier ?? body, 'user'); // without an identifier, as it was once
  if (user === '' || user === home.serverUser) throw forbidden('nobody logs in as the server');
  if (type !== 'm.login.password')
    throw new Refusal(400, 'M_UNKNOWN', 'the only login type is m.login.password');
  if (identifier !== undefined && requiredStringField(identifier, 'type') !== 'm.id.user') {
    throw new Refusal(400, 'M_UNKNOWN', 'the only identifier type is m.id.user');
  }
  if (user === undefined) throw missingParam('identifier.user');
  const userId = accountNamed(home, user);
  await checkPassword(home, userId, requiredStringField(body, 'password'));
  return logIn(home, userId, {
    deviceId: stringField(body, 'device_id'),
    displayName: stringField(body, 'initial_device_display_name'),
    canRefresh: booleanField(body, 'refresh_token'),
  });
});

/** A localpart, or a whole user ID of this server. */
function accountNamed(home: Homeserver, user: string): UserId {
  try {
    const userId = parseUserId(user.startsWith('@') ? user : `@${user}:${home.serverName}`, 'historical');
    if (serverNameOf(userId) === home.serverName) return userId;
  } catch {
    // what is no user ID is no account
  }
  throw WRONG;
}

async function checkPassword(home: Homeserver, userId: UserId, password: string): Promise<void> {
  const hash = (await home.store.account(userId))?.passwordHash;
  if (hash === undefined || !(await verifyPassword(password, hash))) throw WRONG;
}

const WRONG = forbidden('wrong user name or password');
