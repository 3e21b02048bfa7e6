import { describe, expect, it } from 'vitest';
import { DELIVERY_TYPE, measureDelivery, type Delivery } from '../../src/bench/delivery.js';
import { MatrixError } from '../../src/errors.js';
import type { JsonText } from '../../src/wire/json.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { eventsOf, FakeQueue, NEVER, numbersOf, readerOf, type ReaderKit } from '../listen/kit.js';

describe('a delivery', () => {
  it('is measured from the begin of the request to when the event was read', async () => {
    const stage = openStage();
    const running = measureDelivery({
      ...stage.delivery,
      count: 2,
      send: async (content) => {
        stage.clock.advance(30);
        stage.queue.push(deliveryOf(content));
      },
    });
    const { sent, received, missing, latency } = await running;
    expect({ ended: sent.ended, received, missing }).toEqual({ ended: 'count', received: 2, missing: 0 });
    expect(latency.summary()?.minMs).toBeGreaterThanOrEqual(30);
    expect(latency.count).toBe(2);
  });

  it('says who it is and when it was sent, and nothing else', async () => {
    const stage = openStage();
    const contents: unknown[] = [];
    await measureDelivery({
      ...stage.delivery,
      send: async (content) => {
        contents.push(JSON.parse(content));
        stage.queue.push(deliveryOf(content));
      },
    });
    expect(contents).toEqual([{ run: 'the-run', number: 1, sent_ts: 0 }]);
  });

  it('leaves everything else to its owner, in order, also what waited before', async () => {
    const stage = openStage();
    stage.queue.push(...eventsOf(1, 2));
    const strange: ToDeviceEvent[] = [
      { sender: undefined, type: DELIVERY_TYPE, content: '{"run":"another","number":1}' as JsonText },
      { sender: undefined, type: 'org.example.a', content: '{"run":"the-run","number":1,"n":4}' as JsonText },
      { sender: undefined, type: DELIVERY_TYPE, content: 'null' as JsonText },
    ];
    const { received } = await measureDelivery({
      ...stage.delivery,
      send: async (content) => stage.queue.push(...eventsOf(3), deliveryOf(content), ...strange),
    });
    expect(received).toBe(1);
    expect(numbersOf(stage.kept.slice(0, 3))).toEqual([1, 2, 3]);
    expect(stage.kept.slice(3)).toEqual(strange);
  });

  it('acknowledges what it read, so that it does not come again', async () => {
    const stage = openStage();
    await measureDelivery({
      ...stage.delivery,
      send: async (content) => stage.queue.push(deliveryOf(content)),
    });
    expect(stage.queue.acknowledged).toBe(1);
  });

  it('counts an event once that comes twice', async () => {
    const stage = openStage();
    const { received, missing } = await measureDelivery({
      ...stage.delivery,
      send: async (content) => stage.queue.push(deliveryOf(content), deliveryOf(content)),
    });
    expect([received, missing, stage.kept]).toEqual([1, 0, []]);
  });

  it('waits for the last ones, but not for ever', async () => {
    const stage = openStage();
    const running = measureDelivery({ ...stage.delivery, count: 3, send: async () => undefined });
    await stage.queue.polled();
    while ((await stage.clock.sleeping()) > GRACE_MS) await new Promise(setImmediate);
    stage.clock.advance(GRACE_MS);
    expect(await running).toMatchObject({ received: 0, missing: 3, sent: { ended: 'count', done: 3 } });
  });

  it('waits for no message that was refused', async () => {
    const stage = openStage();
    const error = new MatrixError({ status: 403, errcode: 'M_FORBIDDEN', method: 'PUT', url: 'u' }, 'no');
    const { sent, missing } = await measureDelivery({ ...stage.delivery, send: () => Promise.reject(error) });
    expect({ sent, missing }).toMatchObject({ sent: { ended: 'failure', failed: 1, error }, missing: 0 });
  });

  it('sends nothing more when nobody reads', async () => {
    const stage = openStage();
    const failure = new MatrixError(
      { status: 401, errcode: 'M_UNKNOWN_TOKEN', method: 'GET', url: 'u' },
      'who?',
    );
    let sent = 0;
    const running = measureDelivery({
      ...stage.delivery,
      count: 1000,
      ratePerSecond: 1,
      send: async () => {
        sent += 1;
        stage.queue.failures.push(failure);
        stage.queue.push(...eventsOf(1)); // ends the poll that waits
      },
    });
    await expect(running).rejects.toBe(failure);
    expect(sent).toBe(1);
  });
});

interface StageKit {
  readonly queue: FakeQueue;
  readonly clock: ReaderKit['clock'];
  readonly kept: ToDeviceEvent[];
  readonly delivery: Delivery;
}

function openStage(): StageKit {
  const queue = new FakeQueue();
  const { reader, clock } = readerOf(queue);
  const kept: ToDeviceEvent[] = [];
  const delivery: Delivery = {
    reader,
    keep: (events) => kept.push(...events),
    send: () => Promise.resolve(),
    count: 1,
    concurrency: 1,
    ratePerSecond: Infinity,
    timeoutMs: 60_000,
    graceMs: GRACE_MS,
    onProgress: () => undefined,
    clock,
    chance: { uuid: () => 'the-run' },
    signal: NEVER,
  };
  return { queue, clock, kept, delivery };
}

function deliveryOf(content: JsonText): ToDeviceEvent {
  return { sender: '@alice:example.org', type: DELIVERY_TYPE, content };
}

const GRACE_MS = 10_000;
