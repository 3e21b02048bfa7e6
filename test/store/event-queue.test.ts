import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUserId } from '../../src/ids/user-id.js';
import { EventQueue } from '../../src/store/event-queue.js';
import type { QueuedEvent } from '../../src/store/store.js';
import { jsonTextOf } from '../../src/wire/json.js';

describe('EventQueue', () => {
  it('does what a list does that is filtered', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ read: fc.nat(40), limit: fc.nat(10) }),
      fc.record({ drop: fc.nat(40) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const queue = new EventQueue();
        let plain: readonly QueuedEvent[] = [];
        let position = 0;
        for (const each of steps) {
          if ('push' in each) {
            position += each.push;
            queue.push(event(position));
            plain = [...plain, event(position)];
          } else if ('drop' in each) {
            queue.dropUpTo(each.drop);
            plain = plain.filter((one) => one.position > each.drop);
          } else {
            const after = plain.filter((one) => one.position > each.read);
            expect(queue.after(each.read, each.limit)).toEqual(after.slice(0, each.limit));
          }
        }
        expect(queue.after(0, Infinity)).toEqual(plain);
      }),
    );
  });
});

function event(position: number): QueuedEvent {
  return { position, sender: SENDER, type: 'org.example.note', content: jsonTextOf({ position }) };
}

const SENDER = parseUserId('@alice:example.org');
