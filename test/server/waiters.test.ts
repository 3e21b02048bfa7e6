import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { Waiters } from '../../src/server/waiters.js';

const A = { userId: parseUserId('@a:hs.test'), deviceId: 'D' as DeviceId };
const B = { userId: parseUserId('@b:hs.test'), deviceId: 'D' as DeviceId };

/** How a wait ended; `waiting` when it has not. */
function state(waiter: { woken: Promise<string> }): Promise<string> {
  return Promise.race([waiter.woken, Promise.resolve('waiting')]);
}

describe('Waiters', () => {
  it('wake all that wait for a device, and nobody else', async () => {
    const waiters = new Waiters();
    const [first, second, other] = [waiters.enter(A), waiters.enter(A), waiters.enter(B)];
    waiters.wake(A);
    expect([await state(first), await state(second), await state(other)]).toEqual([
      'grown',
      'grown',
      'waiting',
    ]);
  });

  it('do not remember what nobody waited for', async () => {
    const waiters = new Waiters();
    waiters.wake(A);
    expect(await state(waiters.enter(A))).toBe('waiting');
  });

  it('forget who has left', async () => {
    const waiters = new Waiters();
    const [gone, stays] = [waiters.enter(A), waiters.enter(A)];
    gone.leave();
    waiters.wake(A);
    expect([await state(gone), await state(stays)]).toEqual(['waiting', 'grown']);
  });

  it('end every wait when they are closed, also those to come', async () => {
    const waiters = new Waiters();
    const before = waiters.enter(A);
    waiters.close();
    expect([await state(before), await state(waiters.enter(B)), waiters.closed]).toEqual([
      'over',
      'over',
      true,
    ]);
  });
});
