/** The list of endpoints for other servers: one line serves one. */
import type { Endpoint } from '../../endpoint.js';
import { queryKeys, queryKeysOf } from './key-query.js';
import { queryProfile } from './query-profile.js';
import { sendTransaction } from './send.js';
import { serverKeys } from './server-keys.js';
import { userDevices } from './user-devices.js';
import { version } from './version.js';

export const FEDERATION_ENDPOINTS: readonly Endpoint[] = [
  version,
  serverKeys,
  queryKeys,
  queryKeysOf,
  sendTransaction,
  userDevices,
  queryProfile,
];
