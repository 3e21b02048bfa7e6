/** The library's door: what a program may import from `mx2s`. It re-exports and does nothing else. */
export type { ApiAnswer, ApiCall, ClientApi } from './client/api.js';
export { connect } from './client/connect.js';
export type { ConnectOptions, Connection } from './client/connect.js';
export { sendMessage } from './client/send-message.js';
export type { Accepted } from './client/send-to-device.js';
export { syncV3 } from './client/sync.js';
export type { SyncV3 } from './client/sync.js';
export * from './errors.js';
export * from './ids/device-id.js';
export * from './ids/server-name.js';
export * from './ids/user-id.js';
export { ID_REASONS, ID_WARNINGS } from './ids/verdict.js';
export type { Grade, Grammar, IdCode, IdVerdict, IdWarning } from './ids/verdict.js';
export * from './todevice/message.js';
export { splitMessages } from './todevice/split.js';
export type {
  Messages,
  RejectedMessage,
  RemoteMessages,
  SplitMessages,
  UserMessages,
} from './todevice/split.js';
export * from './wire/canonical-json.js';
export * from './wire/json.js';
export { parseSync, parseSlidingSync } from './wire/sync.js';
export type { SlidingSyncBatch, SyncBatch, ToDeviceEvent } from './wire/sync.js';
