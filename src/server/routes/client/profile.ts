/** `GET /_matrix/client/v3/profile/{userId}`: accounts have no more than their ID. */
import { parseUserId, type UserId } from '../../../ids/user-id.js';
import { jsonTextOf } from '../../../wire/json.js';
import { open, stable } from '../../endpoint.js';
import type { Homeserver } from '../../homeserver.js';
import { notFound } from '../../refusal.js';

/**
 * `{}` for an account, 404 `M_NOT_FOUND` for anybody else. The server user is nobody: it has no profile.
 * @see Client-Server API v1.19, "Profiles"
 */
export const profile = open('GET', stable('/profile/:userId'), async (home, call) => {
  if (!(await isAccount(home, call.param('userId')))) throw notFound('there is no such user');
  return jsonTextOf({});
});

/** One field of it: always 404. */
export const profileField = open('GET', stable('/profile/:userId/:field'), async () => {
  throw notFound('there is no such profile field');
});

async function isAccount(home: Homeserver, text: string): Promise<boolean> {
  let userId: UserId;
  try {
    userId = parseUserId(text, 'strict');
  } catch {
    return false;
  }
  return (await home.store.account(userId)) !== undefined;
}
