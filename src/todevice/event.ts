/**
 * To-device events as `/sync` delivers them, and what their sender says of them.
 *
 * @see Client-Server API v1.19, "Send-to-Device messaging", "Extensions to /sync"; MSC4246, "Proposal"
 */
import type { JsonText } from '../wire/json.js';

/** One item of `to_device.events`, as it came: odd servers send odd things, and none may end a `listen`. */
export interface ToDeviceEvent {
  /** As sent; undefined when absent or no string. Not checked: it may be no user ID at all. */
  readonly sender: string | undefined;
  /** As sent; undefined when absent or no string. */
  readonly type: string | undefined;
  /** The content exactly as it came, on one line; `null` when absent. May be any JSON value, not only an object. */
  readonly content: JsonText;
}
