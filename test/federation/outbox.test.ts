import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { RateLimitedError } from '../../src/errors.js';
import { openMemoryOutboxStore } from '../../src/federation/memory-outbox-store.js';
import { Outbox, type OutboxFailure } from '../../src/federation/outbox.js';
import type { OutboxStore } from '../../src/federation/outbox-store.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { jsonTextOf, type JsonText } from '../../src/wire/json.js';
import { TurnedClock } from '../http/turned-clock.js';
import { RecordingPeer } from './recording-peer.js';

const ORIGIN = parseServerName('example.org');
const A = parseServerName('a.example');
const B = parseServerName('b.example');

describe('Outbox', () => {
  it('sends in order, at most 100 at once, the first alone', async () => {
    const { outbox, peer } = world();
    await outbox.append(A, edus(0, 250));
    await peer.took(A, 250);
    expect(peer.transactions(A).map(({ edus: each }) => each.length)).toEqual([1, 100, 100, 49]);
    expect(peer.taken(A)).toEqual(edus(0, 250));
    expect(new Set(peer.transactions(A).map(({ txnId }) => txnId)).size).toBe(4);
  });

  it('is settled when every queue is empty, or waits after a failure', async () => {
    const { outbox, peer } = world({ clock: new HeldClock() });
    await outbox.settled();
    peer.fail(A, 1);
    const held = peer.hold(B);
    await outbox.append(A, edus(0, 1));
    await outbox.append(B, edus(0, 1));
    let isSettled = false;
    const settled = outbox.settled().then(() => (isSettled = true));
    await held.reached;
    expect(isSettled).toBe(false);
    held.letGo();
    await settled;
    expect([peer.taken(A), peer.taken(B)]).toEqual([[], edus(0, 1)]);
  });

  it('sends what comes later to a server that has taken something without delay', async () => {
    const { outbox, peer } = world();
    await outbox.append(A, edus(0, 1));
    await peer.took(A, 1);
    await outbox.append(A, edus(1, 3));
    await peer.took(A, 3);
    expect(peer.transactions(A).map(({ edus: each }) => each.length)).toEqual([1, 2]);
  });

  it('has one transaction in flight to a server, and does not make others wait for it', async () => {
    const { outbox, peer } = world();
    const held = peer.hold(A);
    await outbox.append(A, edus(0, 1));
    await outbox.append(A, edus(1, 2));
    await outbox.append(B, edus(0, 2));
    await peer.took(B, 2);
    expect(peer.transactions(A)).toHaveLength(1);
    held.letGo();
    await peer.took(A, 2);
    expect(peer.mostInFlight).toBe(2);
    expect(peer.mostInFlightTo(A)).toBe(1);
  });

  it('sends the same transaction, to the byte, until it is taken', async () => {
    const { outbox, peer, clock } = world();
    peer.fail(A, 3);
    await outbox.append(A, edus(0, 2));
    await outbox.append(A, edus(2, 4));
    await peer.took(A, 4);
    const [first, ...again] = peer.transactions(A);
    expect(again.slice(0, 3)).toEqual([first, first, first]);
    expect(again.slice(3).map(({ edus: each }) => each.length)).toEqual([3]);
    expect(clock.slept).toEqual([1000, 2000, 4000]);
  });

  it('starts with a short wait after each success', async () => {
    const { outbox, peer, clock } = world();
    peer.fail(A, 2);
    await outbox.append(A, edus(0, 1));
    await peer.took(A, 1);
    peer.fail(A, 1);
    await outbox.append(A, edus(1, 2));
    await peer.took(A, 2);
    expect(clock.slept).toEqual([1000, 2000, 1000]);
  });

  it('waits an hour at most, and as long as it is asked to', async () => {
    const limit = { retryAfterMs: 30_000, status: 429, errcode: 'M_LIMIT_EXCEEDED' };
    const { outbox, peer, clock } = world();
    peer.fail(A, 1, new RateLimitedError(limit, 'limited'));
    peer.fail(A, 14);
    await outbox.append(A, edus(0, 1));
    await peer.took(A, 1);
    expect(clock.slept[0]).toBe(30_000);
    expect(clock.slept.slice(-2)).toEqual([3_600_000, 3_600_000]);
  });

  it('tells of failures, and how long it waits', async () => {
    const failures: OutboxFailure[] = [];
    const { outbox, peer } = world({ onFailure: (failure) => failures.push(failure) });
    peer.fail(A, 2);
    await outbox.append(A, edus(0, 1));
    await peer.took(A, 1);
    expect(failures).toMatchObject([
      { destination: A, failures: 1, delayMs: 1000, error: { message: 'down' } },
      { destination: A, failures: 2, delayMs: 2000 },
    ]);
  });

  it('goes on where another process stopped, with the same transaction', async () => {
    const store = openMemoryOutboxStore();
    const before = world({ store });
    const held = before.peer.hold(A);
    await before.outbox.append(A, edus(0, 3));
    await held.reached;
    await before.outbox.append(A, edus(3, 5));
    await before.outbox.append(B, edus(0, 1));
    await before.peer.took(B, 1);
    await before.outbox.stop();
    expect(before.peer.taken(A)).toEqual([]);

    const after = world({ store });
    await after.outbox.start();
    await after.peer.took(A, 5);
    expect(after.peer.transactions(A)[0]).toEqual(before.peer.transactions(A)[0]);
    expect(after.peer.taken(A)).toEqual(edus(0, 5));
    expect(after.peer.transactions(B)).toEqual([]);
  });

  it('sends again what was taken but not marked so: the receiver knows it by its ID', async () => {
    const store = openMemoryOutboxStore();
    let isLost = true;
    const losing: OutboxStore = {
      ...store,
      remove: async (destination, txnId) => {
        if (isLost) throw new Error('killed');
        await store.remove(destination, txnId);
      },
    };
    const { outbox, peer } = world({ store: losing, onFailure: () => (isLost = false) });
    await outbox.append(A, edus(0, 2));
    await peer.took(A, 2);
    const [first, second] = peer.transactions(A);
    expect(second).toEqual(first);
    expect(peer.taken(A)).toEqual(edus(0, 2));
  });

  it('goes on when its store fails for a while', async () => {
    const store = openMemoryOutboxStore();
    const failing = new Set<keyof OutboxStore>(['head', 'seal']);
    const flaky: OutboxStore = {
      ...store,
      head: (...args) => (failing.delete('head') ? Promise.reject(new Error('busy')) : store.head(...args)),
      seal: (...args) => (failing.delete('seal') ? Promise.reject(new Error('full')) : store.seal(...args)),
    };
    const { outbox, peer } = world({ store: flaky });
    await outbox.append(A, edus(0, 2));
    await peer.took(A, 2);
    expect(peer.taken(A)).toEqual(edus(0, 2));
  });

  it('says so when something cannot be kept', async () => {
    const store = { ...openMemoryOutboxStore(), append: () => Promise.reject(new Error('full')) };
    const { outbox, peer } = world({ store });
    await expect(outbox.append(A, edus(0, 1))).rejects.toThrow('full');
    expect(peer.transactions(A)).toEqual([]);
  });

  it('sends what others put into its store', async () => {
    const store = openMemoryOutboxStore();
    const { outbox, peer } = world({ store });
    await store.append(A, edus(0, 2));
    outbox.wake(A);
    await peer.took(A, 2);
  });

  it('does not miss what comes while it finds a queue empty', async () => {
    const store = openMemoryOutboxStore();
    const { outbox, peer } = world({
      store: {
        ...store,
        head: async (destination, maxEdus) => {
          const head = await store.head(destination, maxEdus);
          const isSecondLook = peer.taken(A).length === 1;
          if (isSecondLook && head.edus.length === 0) await outbox.append(A, edus(1, 2));
          return head;
        },
      },
    });
    await outbox.append(A, edus(0, 1));
    await peer.took(A, 2);
  });

  it('does nothing more once it was stopped, and keeps what comes', async () => {
    const store = openMemoryOutboxStore();
    const { outbox, peer } = world({ store });
    await outbox.stop();
    await outbox.append(A, edus(0, 1));
    await outbox.start();
    expect(peer.transactions(A)).toEqual([]);
    expect(await store.head(A, 10)).toEqual({ edus: edus(0, 1), sealed: undefined });
  });

  it('stops while something is in flight, which is no failure', async () => {
    const failures: OutboxFailure[] = [];
    const { outbox, peer } = world({ clock: new HeldClock(), onFailure: (each) => failures.push(each) });
    const held = peer.hold(A);
    await outbox.append(A, edus(0, 1));
    await held.reached;
    await outbox.stop();
    expect(failures).toEqual([]);
    expect(peer.transactions(A)).toHaveLength(1);
  });

  it('stops while it waits', async () => {
    const clock = new HeldClock();
    const { outbox, peer } = world({ clock });
    peer.fail(A, 1);
    await outbox.append(A, edus(0, 1));
    await clock.sleeping;
    await outbox.stop();
    expect(peer.transactions(A)).toHaveLength(1);
  });

  it('tries a server again at once when it hears from it, unless that was tried just now', async () => {
    const clock = new HeldClock();
    const { outbox, peer } = world({ clock });
    peer.fail(A, 1);
    await outbox.append(A, edus(0, 1));
    await clock.sleeping;
    clock.nowMs += 9_999;
    outbox.heardFrom(A);
    outbox.heardFrom(B);
    expect(clock.isSleeping).toBe(true);
    clock.nowMs += 1;
    outbox.heardFrom(A);
    await peer.took(A, 1);
  });

  it('knows when a server is tried again', async () => {
    const clock = new HeldClock();
    const { outbox, peer } = world({ clock });
    expect(outbox.retryAfterMs(A)).toBe(1000);
    peer.fail(A, 1, new RateLimitedError({ retryAfterMs: 30_000, status: 429, errcode: undefined }, 'busy'));
    await outbox.append(A, edus(0, 1));
    await clock.sleeping;
    clock.nowMs += 5000;
    expect(outbox.retryAfterMs(A)).toBe(25_000);
    clock.nowMs += 60_000;
    expect(outbox.retryAfterMs(A)).toBe(1000);
    await outbox.stop();
  });

  it('loses nothing, repeats nothing and mixes up nothing, whatever fails and whenever it is killed', async () => {
    const step = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ put: fc.constantFrom(A, B), count: fc.integer({ min: 1, max: 130 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ fail: fc.constantFrom(A, B), count: fc.integer({ min: 1, max: 4 }) }),
      },
      { weight: 1, arbitrary: fc.record({ loseAnswers: fc.constantFrom(A, B) }) },
      { weight: 1, arbitrary: fc.constant({ kill: true }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const store = openMemoryOutboxStore();
        const peer = new RecordingPeer();
        let life = mortal(store);
        let { outbox } = world({ store: life.store, peer });
        const put = new Map<ServerName, number>([
          [A, 0],
          [B, 0],
        ]);
        for (const each of steps) {
          if ('put' in each) {
            const from = put.get(each.put) ?? 0;
            put.set(each.put, from + each.count);
            await outbox.append(each.put, edus(from, from + each.count));
          } else if ('fail' in each) {
            peer.fail(each.fail, each.count);
          } else if ('loseAnswers' in each) {
            peer.loseAnswer(each.loseAnswers);
          } else {
            life.end();
            void outbox.stop(); // what is in flight may still arrive
            life = mortal(store);
            ({ outbox } = world({ store: life.store, peer }));
            await outbox.start();
          }
        }
        for (const [destination, count] of put) {
          await peer.took(destination, count);
          expect(peer.taken(destination)).toEqual(edus(0, count));
          peer.expectRepeatsToBeEqual(destination);
        }
        await outbox.stop();
      }),
      { numRuns: 60 },
    );
  });
});

/** A store as a process sees it that may be killed: from then on it can do nothing to it. */
function mortal(store: OutboxStore): { readonly store: OutboxStore; end(): void } {
  let isDead = false;
  const alive = <Args extends unknown[], Result>(work: (...args: Args) => Promise<Result>) => {
    return (...args: Args) => (isDead ? Promise.reject(new Error('killed')) : work(...args));
  };
  return {
    store: {
      append: alive(store.append),
      destinations: alive(store.destinations),
      head: alive(store.head),
      seal: alive(store.seal),
      remove: alive(store.remove),
    },
    end: () => {
      isDead = true;
    },
  };
}

/** A clock that stands still: a wait ends when it is called off. */
class HeldClock implements Clock {
  nowMs = 0;
  isSleeping = false;
  #fellAsleep: () => void = () => undefined;
  readonly sleeping = new Promise<void>((resolve) => (this.#fellAsleep = resolve));

  now(): number {
    return this.nowMs;
  }

  monotonic(): number {
    return this.nowMs;
  }

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    this.isSleeping = true;
    this.#fellAsleep();
    return new Promise((_resolve, reject) =>
      signal?.addEventListener('abort', () => {
        this.isSleeping = false;
        reject(signal.reason as Error);
      }),
    );
  }
}

let madeUp = 0;

function world<ItsClock extends Clock = TurnedClock>({
  store = openMemoryOutboxStore() as OutboxStore,
  peer = new RecordingPeer(),
  clock = new TurnedClock(1_700_000_000_000) as Clock as ItsClock,
  onFailure = undefined as ((failure: OutboxFailure) => void) | undefined,
} = {}) {
  const chance = { uuid: () => `txn-${String((madeUp += 1))}`, fraction: () => 0 };
  const outbox = new Outbox({ origin: ORIGIN, store, transmit: peer.transmit, clock, chance, onFailure });
  onTestFinished(() => outbox.stop());
  return { outbox, peer, clock };
}

/** EDUs with numbers, the last one excluded. */
function edus(from: number, to: number): readonly JsonText[] {
  return Array.from({ length: to - from }, (_each, index) => jsonTextOf({ edu_type: 'x', n: from + index }));
}
