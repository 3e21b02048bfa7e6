/** `POST /_matrix/client/v3/register` and `GET /register/available`. */
import { InvalidInputError } from '../../../errors.js';
import { parseUserId, type UserId } from '../../../ids/user-id.js';
import { jsonTextOf, type JsonObject } from '../../../wire/json.js';
import { booleanField, objectField, stringField } from '../../body.js';
import type { Call } from '../../call.js';
import { open, stable } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { hashChosenPassword } from '../../passwords.js';
import { Refusal, forbidden, missingParam } from '../../refusal.js';
import { logIn } from '../../sessions.js';

/**
 * Makes an account of `{username?,password?,auth:{type:"m.login.dummy"},device_id?,initial_device_display_name?,
 * refresh_token?,inhibit_login?}` and logs it in.
 *
 * The name is looked at first, so that the reserved one is refused as what it is also where registration is off
 * (R-20; MSC4246, "Proposal", first paragraph).
 *
 * @see Client-Server API v1.19, `POST /register`, "User-Interactive Authentication API"
 */
export const register = open('POST', stable('/register'), async (home, call) => {
  const body = call.body();
  const userId = parseUsername(home, stringField(body, 'username') ?? createUsername(home));
  refuseUnlessOpen(home, call, body);
  if ((await home.store.account(userId)) !== undefined) throw inUse();
  if (stringField(objectField(body, 'auth'), 'type') !== 'm.login.dummy') throw wantsDummyAuth(home);

  const password = stringField(body, 'password');
  const passwordHash = password === undefined ? undefined : await hashChosenPassword(password, home.chance);
  if (!(await home.store.createAccount({ userId, passwordHash }))) throw inUse();
  if (booleanField(body, 'inhibit_login')) return jsonTextOf({ user_id: userId });
  return logIn(home, userId, {
    deviceId: stringField(body, 'device_id'),
    displayName: stringField(body, 'initial_device_display_name'),
    canRefresh: booleanField(body, 'refresh_token'),
  });
});

/** `{"available":true}`. @see Client-Server API v1.19, `GET /register/available` */
export const registerAvailable = open('GET', stable('/register/available'), async (home, call) => {
  const username = call.query('username');
  if (username === undefined) throw missingParam('username');
  const userId = parseUsername(home, username);
  refuseUnlessOpen(home, call);
  if ((await home.store.account(userId)) !== undefined) throw inUse();
  return jsonTextOf({ available: true });
});

function parseUsername(home: Homeserver, username: string): UserId {
  try {
    return parseUserId(`@${username}:${home.serverName}`, 'strict');
  } catch (error) {
    if (!(error instanceof InvalidInputError)) throw error;
    throw new Refusal(400, 'M_INVALID_USERNAME', error.message);
  }
}

function refuseUnlessOpen(home: Homeserver, call: Call, body?: JsonObject): void {
  if (!home.allowRegistration) throw forbidden('registration is switched off');
  if (call.query('kind') === 'guest')
    throw new Refusal(403, 'M_GUEST_ACCESS_FORBIDDEN', 'there are no guests');
  if (stringField(body, 'type') === 'm.login.application_service') {
    throw forbidden('there are no application services');
  }
}

function wantsDummyAuth({ chance }: Homeserver): Refusal {
  return new Refusal(401, undefined, 'confirm with m.login.dummy', {
    fields: { flows: [{ stages: ['m.login.dummy'] }], params: {}, session: chance.uuid() },
  });
}

function inUse(): Refusal {
  return new Refusal(400, 'M_USER_IN_USE', 'the user name is taken');
}

function createUsername({ chance }: Homeserver): string {
  return `user-${Buffer.from(chance.bytes(NAME_BYTES)).toString('hex')}`;
}

const NAME_BYTES = 8;
