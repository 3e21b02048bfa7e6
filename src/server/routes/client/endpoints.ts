/** The list of client endpoints: one line serves one. */
import type { Endpoint } from '../../endpoint.js';
import { deactivate } from './deactivate.js';
import { deleteDevice, listDevices, readDevice, renameDevice } from './devices.js';
import { addFilter, readFilter } from './filter.js';
import { claimKeys, queryKeys, uploadKeys } from './keys.js';
import { login, loginFlows } from './login.js';
import { logout, logoutAll } from './logout.js';
import { profile, profileField } from './profile.js';
import { refresh } from './refresh.js';
import { register, registerAvailable } from './register.js';
import { sendToDevice } from './send-to-device.js';
import { slidingSync } from './sliding-sync.js';
import { accountData, capabilities, joinedRooms, keyBackup, pushRules } from './start-up.js';
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
  register,
  registerAvailable,
  whoami,
  deactivate,
  listDevices,
  readDevice,
  renameDevice,
  deleteDevice,
  sendToDevice,
  sync,
  slidingSync,
  addFilter,
  readFilter,
  uploadKeys,
  queryKeys,
  claimKeys,
  profile,
  profileField,
  accountData,
  keyBackup,
  pushRules,
  joinedRooms,
  capabilities,
];
