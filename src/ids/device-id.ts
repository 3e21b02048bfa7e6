/**
 * Device IDs: opaque strings, for which Matrix has no grammar.
 *
 * Two are taken: `*` means every device (Client-Server API v1.19, "Send-to-Device messaging") and `""` is the
 * one device of a server (MSC4246, "Proposal"). `__proto__` is an ordinary one: keep device maps in a `Map`.
 */
import { invalidId, refused, type Grade, type Grammar, type IdVerdict } from './verdict.js';

declare const deviceIdBrand: unique symbol;
/** The ID of one device, made by `parseDeviceId`. */
export type DeviceId = string & { readonly [deviceIdBrand]: true };

/** The only device of a server (MSC4246, "Proposal"). */
export const SERVER_DEVICE_ID = '' as DeviceId;

/** In place of a device ID: every device of the user. */
export const WILDCARD_DEVICE = '*';

/**
 * The device ID that `text` is, by the grammar given; `""` is one in `msc4246` only.
 *
 * @throws InvalidInputError whose `reason` is the code.
 */
export function parseDeviceId(text: string, grammar: Grammar = 'msc4246'): DeviceId {
  const grade = gradeDeviceId(text).grammars[grammar];
  if (!grade.valid) throw invalidId('device ID', text, grade.code);
  return text as DeviceId;
}

/** Grades `text` as a device ID by every grammar. Never throws. */
export function gradeDeviceId(text: string): IdVerdict {
  if (text === WILDCARD_DEVICE) return refused('E_DEVICE_WILDCARD');
  if (!text.isWellFormed()) return refused('E_SURROGATE');
  const isServer = isServerDevice(text);
  const today: Grade = isServer ? { valid: false, code: 'E_DEVICE_EMPTY' } : { valid: true };
  return {
    isServer,
    localpart: undefined,
    serverName: undefined,
    warnings: [],
    grammars: { strict: today, historical: today, msc4246: { valid: true } },
  };
}

/** Is this the device ID of a server, the empty string (MSC4246, "Proposal")? */
export function isServerDevice(id: string): boolean {
  return id === SERVER_DEVICE_ID;
}
