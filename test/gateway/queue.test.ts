import { describe, expect, it } from 'vitest';
import { createMetrics, missingFor } from '../../src/gateway/metrics.js';
import { runQueue } from '../../src/gateway/queue.js';
import type { NatsMembership } from '../../src/subsystems/nats-connections.js';
import type { NatsService } from '../../src/subsystems/nats.js';
import { ManualClock } from '../listen/kit.js';

describe('taking part in a queue group', () => {
  it('is ready when every subject was joined, and leaves each at the end', async () => {
    const stage = openStage(['a', 'b']);
    stage.refused.add('b');
    const run = stage.run();
    await stage.joined('a');
    const pauseMs = await stage.clock.sleeping();
    expect([stage.readyCount, missingFor(stage.metrics)]).toEqual([0, 'NATS does not answer']);
    stage.refused.delete('b');
    stage.clock.advance(pauseMs);
    await stage.joined('b');
    await stage.settled();
    expect([stage.readyCount, missingFor(stage.metrics)]).toEqual([1, undefined]);
    stage.stop();
    await run;
    expect(stage.left).toEqual(['a', 'b']);
    expect(stage.isDispatcherClosed).toBe(true);
  });

  it('joins again after each loss, waits for no work meanwhile, and tells of an outage once', async () => {
    const stage = openStage(['a']);
    stage.isSlowToLeave = true;
    const run = stage.run();
    await stage.joined('a');
    await stage.settled();
    stage.failures.push(new Error('refused'), new Error('refused'));
    stage.lose('a', 'cut off');
    // the middle of their chance, twice as long each time
    for (const pauseMs of [500, 1000, 2000]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      expect(missingFor(stage.metrics)).toBe('NATS does not answer');
      stage.clock.advance(pauseMs);
    }
    await stage.joined('a');
    await stage.settled();
    expect(missingFor(stage.metrics)).toBeUndefined();
    expect(stage.told).toEqual(['down: cut off', 'up']);
    expect(stage.readyCount).toBe(1);
    stage.isSlowToLeave = false;
    stage.stop();
    await run;
  });

  it('gives up where it cannot join at the start, and leaves the rest', async () => {
    const stage = openStage(['a', 'b'], 1);
    stage.refused.add('b');
    const run = stage.run();
    await stage.joined('a');
    stage.clock.advance(await stage.clock.sleeping());
    await expect(run).rejects.toMatchObject({
      code: 'network',
      message: 'cannot take messages from nats://h.test:4222/b: refused',
    });
    expect(stage.left).toEqual(['a']);
  });

  it('cuts off what is still at work when the moment to stop in is over', async () => {
    const stage = openStage(['a']);
    stage.isSlowToLeave = true;
    const run = stage.run();
    await stage.joined('a');
    await stage.settled();
    stage.stop();
    expect(await stage.clock.sleeping()).toBe(1000);
    expect(stage.isDispatcherClosed).toBe(false);
    stage.clock.advance(1000);
    await run;
    expect(stage.isDispatcherClosed).toBe(true);
  });
});

function openStage(subjects: readonly string[], retries = 5) {
  const clock = new ManualClock();
  const metrics = createMetrics(false);
  const stop = new AbortController();
  const services = subjects.map((subject): NatsService => ({ host: 'h.test', port: 4222, subject }));
  const members = new Map<string, (why: string) => void>();
  const watchers: (() => void)[] = [];
  let onClosed: () => void = () => undefined;
  const closed = new Promise<void>((resolve) => (onClosed = resolve));
  const stage = {
    clock,
    metrics,
    /** Thrown by the next joins, one each. */
    failures: [] as Error[],
    /** Subjects that cannot be joined. */
    refused: new Set<string>(),
    left: [] as string[],
    told: [] as string[],
    readyCount: 0,
    isDispatcherClosed: false,
    /** It has work that ends only when the dispatcher is closed. */
    isSlowToLeave: false,
    run: () =>
      runQueue({
        nats: {
          async join({ subject }): Promise<NatsMembership> {
            const failure = stage.failures.shift();
            if (failure !== undefined) throw failure;
            if (stage.refused.has(subject)) throw new Error('refused');
            const over = new Promise<string>((resolve) => members.set(subject, resolve));
            for (const wake of watchers.splice(0)) wake();
            return {
              over,
              leave: async () => {
                if (stage.isSlowToLeave) await closed;
                stage.left.push(subject);
              },
            };
          },
        },
        queue: 'workers',
        services,
        member: async () => ({ text: '' }),
        dispatcher: {
          dispatch: () => Promise.reject(new Error('the member is faked')),
          close: async () => {
            stage.isDispatcherClosed = true;
            onClosed();
          },
        },
        retries,
        metrics,
        onReady: async () => void (stage.readyCount += 1),
        report: {
          down: (error) => stage.told.push(`down: ${error.message}`),
          up: () => stage.told.push('up'),
        },
        clock,
        chance: { fraction: () => 0.5 },
        signal: stop.signal,
      }),
    joined: async (subject: string) => {
      while (!members.has(subject)) await new Promise<void>((resolve) => watchers.push(resolve));
    },
    /** Resolves when nobody has anything to do. */
    settled: () => new Promise((resolve) => setImmediate(resolve)),
    lose: (subject: string, why: string) => {
      members.get(subject)?.(why);
      members.delete(subject);
    },
    stop: () => stop.abort(new Error('told to stop')),
  };
  return stage;
}
