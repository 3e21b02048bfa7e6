import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../src/config/position.js';
import { OpenBatch, type Batch } from '../../src/listen/open-batch.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import type { JsonText } from '../../src/wire/json.js';

const START: Position = { api: 'v3', since: 's1', consumed: 0 };

function batchOf(...numbers: readonly number[]): Batch {
  return { events: numbers.map(eventOf), nextBatch: 's2', malformedCount: 0 };
}

function eventOf(n: number): ToDeviceEvent {
  return { sender: '@:example.org', type: 't', content: `{"n":${n}}` as JsonText };
}

function waitingIn(position: Position, batch: Batch): string[] {
  return new OpenBatch(position, batch).waiting.map(({ content }) => content);
}

describe('OpenBatch', () => {
  it('starts with everything, and leaves the batch after its last event', () => {
    const open = new OpenBatch(START, batchOf(1, 2));
    expect(open.waiting).toHaveLength(2);
    expect(open.position).toEqual(START);
    open.advance(1);
    expect(open.position).toMatchObject({ since: 's1', consumed: 1 });
    expect(open.isDone).toBe(false);
    open.advance(1);
    expect(open.position).toEqual({ api: 'v3', since: 's2', consumed: 0 });
    expect(open.isDone).toBe(true);
  });

  it('goes on where an earlier run stopped, if the batch is the same', () => {
    const open = new OpenBatch(START, batchOf(1, 2, 3));
    open.advance(2);
    expect(waitingIn(open.position, batchOf(1, 2, 3))).toEqual(['{"n":3}']);
    expect(waitingIn(open.position, batchOf(1, 2, 3, 4))).toEqual(['{"n":3}', '{"n":4}']);
  });

  it.each([
    ['another event came in', batchOf(1, 9, 3)],
    ['the order is another', batchOf(2, 1, 3)],
    ['the first was removed', batchOf(2, 3, 4)],
    ['it shrank', batchOf(1)],
  ])('repeats everything when %s', (_what, batch) => {
    const open = new OpenBatch(START, batchOf(1, 2, 3));
    open.advance(2);
    expect(waitingIn(open.position, batch)).toHaveLength(batch.events.length);
  });

  it('leaves a batch that has nothing new at once', () => {
    const open = new OpenBatch(START, batchOf(1, 2, 3));
    open.advance(2);
    const again = new OpenBatch(open.position, batchOf(1, 2));
    expect(again).toMatchObject({ isDone: true, isEmpty: false, position: { since: 's2', consumed: 0 } });
    expect(new OpenBatch(START, batchOf())).toMatchObject({ isDone: true, isEmpty: true });
  });

  it('keeps the old token where the server gave no new one', () => {
    expect(new OpenBatch(START, { ...batchOf(), nextBatch: undefined }).position).toEqual(START);
  });

  it('hands every event over once, wherever the runs stop', () => {
    const stops = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 20, maxLength: 20 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 12 }), stops, (size, counts) => {
        const batch = batchOf(...Array.from({ length: size }, (_, index) => index));
        const handedOver: ToDeviceEvent[] = [];
        let position = START;
        for (const count of counts) {
          if (position.since !== START.since) break;
          const open = new OpenBatch(position, batch);
          handedOver.push(...open.waiting.slice(0, count));
          open.advance(count);
          position = open.position;
        }
        expect(handedOver).toEqual(batch.events.slice(0, handedOver.length));
      }),
    );
  });
});
