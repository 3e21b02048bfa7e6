/** What clients ask for at start and can do without: account data, key backup, push rules, rooms, capabilities. */
import { jsonTextOf } from '../../../wire/json.js';
import { authenticated, stable } from '../../endpoint.js';
import { notFound } from '../../refusal.js';
import { refuseOthers } from './own-user.js';

/** Always 404 `M_NOT_FOUND`: nothing is kept. @see Client-Server API v1.19, "Client Config" */
export const accountData = authenticated(
  'GET',
  stable('/user/:userId/account_data/:type'),
  async (_home, call, caller) => {
    refuseOthers(call, caller);
    throw notFound('there is no such account data');
  },
);

/** Always 404 `M_NOT_FOUND`. @see Client-Server API v1.19, "Server-side key backups" */
export const keyBackup = authenticated('GET', stable('/room_keys/version'), async () => {
  throw notFound('there is no key backup');
});

/** No rules. With and without the final slash. @see Client-Server API v1.19, "Push Rules" */
export const pushRules = authenticated(
  'GET',
  [...stable('/pushrules/'), ...stable('/pushrules')],
  async () => PUSH_RULES,
);

/** `{"joined_rooms":[]}` */
export const joinedRooms = authenticated('GET', stable('/joined_rooms'), async () => JOINED_ROOMS);

/** Nothing can be changed here. @see Client-Server API v1.19, "Capabilities negotiation" */
export const capabilities = authenticated('GET', stable('/capabilities'), async () => CAPABILITIES);

const PUSH_RULES = jsonTextOf({
  global: { override: [], content: [], room: [], sender: [], underride: [] },
});
const JOINED_ROOMS = jsonTextOf({ joined_rooms: [] });
const CAPABILITIES = jsonTextOf({
  capabilities: {
    'm.change_password': { enabled: false },
    'm.set_displayname': { enabled: false },
    'm.set_avatar_url': { enabled: false },
    'm.3pid_changes': { enabled: false },
    'm.room_versions': { default: '11', available: { '11': 'stable' } },
  },
});
