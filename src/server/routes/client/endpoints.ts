/** The list of client endpoints: one line serves one. */
import type { Endpoint } from '../../endpoint.js';
import { login, loginFlows } from './login.js';
import { logout, logoutAll } from './logout.js';
import { refresh } from './refresh.js';
import { sendToDevice } from './send-to-device.js';
import { sync } from './sync.js';
import { versions, wellKnown } from './versions.js';
import { whoami } from './whoami.js';

export const CLIENT_ENDPOINTS: readonly Endpoint[] = [
  versions,
  wellKnown,
  loginFlows,
  login,
  logout,
  logoutAll,
  refresh,
  whoami,
  sendToDevice,
  sync,
];
