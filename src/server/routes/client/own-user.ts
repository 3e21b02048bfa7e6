/** Paths that name a user, and may name the caller only. */
import type { DeviceRef } from '../../../store/store.js';
import type { Call } from '../../call.js';
import { forbidden } from '../../refusal.js';

/** @throws Refusal 403 `M_FORBIDDEN` unless the `userId` of the path is the caller's */
export function refuseOthers(call: Call, { userId }: DeviceRef): void {
  if (call.param('userId') !== userId) throw forbidden('that is another user');
}
