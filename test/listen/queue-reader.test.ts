import { describe, expect, it } from 'vitest';
import {
  DiskError,
  MalformedResponseError,
  MatrixError,
  NetworkError,
  RateLimitedError,
  RedirectError,
  type MatrixErrorFacts,
} from '../../src/errors.js';
import type { Position } from '../../src/config/position.js';
import { eventsOf, FakeQueue, NEVER, numbersOf, readerOf } from './kit.js';

const REQUEST = { method: 'GET', url: 'http://127.0.0.1/sync' };
const DOWN = new NetworkError(REQUEST, 'connection refused');
const ODD = new MalformedResponseError('a JSON object', 'GET /sync', 'no JSON');

function answered(status: number, errcode?: MatrixErrorFacts['errcode']): MatrixError {
  return new MatrixError({ ...REQUEST, status, errcode }, `answered ${status}`);
}

describe('the position', () => {
  it('is stored after events were handed over, and used as since only then', async () => {
    const queue = new FakeQueue();
    queue.push(...eventsOf(1, 2));
    const { reader, stored } = readerOf(queue);

    const batch = await reader.read(0, NEVER);
    expect(numbersOf(batch.waiting)).toEqual([1, 2]);
    expect(stored).toEqual([]);
    reader.advance(batch, 1);
    expect(stored).toMatchObject([{ since: undefined, consumed: 1 }]);
    reader.advance(batch, 1);
    expect(stored.at(-1)).toEqual({ api: 'v3', since: 's2', consumed: 0 });
    expect(queue.acknowledged).toBe(0);
    expect((await reader.read(0, NEVER)).isEmpty).toBe(true);
    expect(queue.acknowledged).toBe(2);
  });

  it('follows an empty answer, and is not stored twice', async () => {
    const { reader, stored } = readerOf(new FakeQueue());
    await reader.read(0, NEVER);
    await reader.read(0, NEVER);
    expect(stored).toEqual([{ api: 'v3', since: 's0', consumed: 0 }]);
  });

  it('goes past what is no event', async () => {
    const queue = new FakeQueue();
    queue.malformedCount = 2;
    const { reader } = readerOf(queue);
    const batch = await reader.read(0, NEVER);
    expect(batch).toMatchObject({ isEmpty: false, isDone: true, malformedCount: 2 });
  });
});

describe('acknowledge', () => {
  it('asks once more after a batch that was handed over whole', async () => {
    const queue = new FakeQueue();
    queue.push(...eventsOf(1));
    const { reader, stored } = readerOf(queue);
    reader.advance(await reader.read(0, NEVER), 1);
    queue.push(...eventsOf(2));
    await reader.acknowledge();
    expect(queue.requests.at(-1)).toEqual({ since: 's1', timeoutMs: 0 });
    expect(queue.acknowledged).toBe(1);
    expect(stored.at(-1)).toMatchObject({ since: 's1' });
    await reader.acknowledge();
    expect(queue.requests).toHaveLength(2);
  });

  it('does not after a stop inside a batch, an empty one, or none', async () => {
    const queue = new FakeQueue();
    const { reader } = readerOf(queue);
    await reader.acknowledge();
    await reader.read(0, NEVER);
    await reader.acknowledge();
    queue.push(...eventsOf(1, 2));
    reader.advance(await reader.read(0, NEVER), 1);
    await reader.acknowledge();
    expect(queue.requests).toHaveLength(2);
  });

  it('fails in silence, and does not wait for long', async () => {
    const queue = new FakeQueue();
    queue.push(...eventsOf(1));
    const { reader, clock } = readerOf({
      api: 'v3',
      read: (request, signal) =>
        request.since === undefined
          ? queue.read(request, signal)
          : new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            }),
    });
    reader.advance(await reader.read(0, NEVER), 1);
    const acknowledged = reader.acknowledge();
    expect(await clock.sleeping()).toBeLessThan(2000);
    clock.advance(2000);
    await expect(acknowledged).resolves.toBeUndefined();
  });
});

describe('a failure before the first good answer', () => {
  it('is repeated as often as --retries says, without a word', async () => {
    const queue = new FakeQueue();
    queue.failures.push(DOWN, answered(503));
    const { reader, clock, told } = readerOf(queue, { retries: 2 });
    const batch = reader.read(30_000, NEVER);
    clock.advance(await clock.sleeping());
    clock.advance(await clock.sleeping());
    queue.push(...eventsOf(1));
    expect((await batch).waiting).toHaveLength(1);
    expect(told).toEqual([]);
  });

  it('is thrown then', async () => {
    const queue = new FakeQueue();
    queue.failures.push(DOWN, DOWN);
    const { reader, clock } = readerOf(queue, { retries: 1 });
    const batch = reader.read(0, NEVER);
    const refused = expect(batch).rejects.toBe(DOWN);
    clock.advance(await clock.sleeping());
    await refused;
  });

  it('is thrown at once when it is a rate limit that was waited for already', async () => {
    const queue = new FakeQueue();
    const limited = new RateLimitedError({ retryAfterMs: 1, status: 429, errcode: undefined }, 'limited');
    queue.failures.push(limited);
    await expect(readerOf(queue, { retries: 5 }).reader.read(0, NEVER)).rejects.toBe(limited);
  });

  it('gets one more chance when it is an answer that makes no sense', async () => {
    const queue = new FakeQueue();
    queue.failures.push(ODD, ODD);
    const { reader, clock } = readerOf(queue, { retries: 5 });
    const refused = expect(reader.read(0, NEVER)).rejects.toBe(ODD);
    clock.advance(await clock.sleeping());
    await refused;
  });

  it.each([answered(404), new NetworkError(REQUEST, 'tls', { retryable: false })])(
    'is thrown at once when it is: %s',
    async (error) => {
      const queue = new FakeQueue();
      queue.failures.push(error);
      await expect(readerOf(queue, { retries: 5 }).reader.read(0, NEVER)).rejects.toBe(error);
    },
  );
});

describe('an outage', () => {
  it('is told when it begins and when it ends, and lasts for ever if need be', async () => {
    const queue = new FakeQueue();
    const { reader, clock, told } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(...Array.from({ length: 12 }, () => DOWN), answered(502));
    queue.push(...eventsOf(1));
    const batch = reader.read(30_000, NEVER);
    const pauses: number[] = [];
    for (let failure = 0; failure < 13; failure += 1) {
      pauses.push(await clock.sleeping());
      clock.advance(pauses.at(-1) ?? 0);
    }
    expect(numbersOf((await batch).waiting)).toEqual([1]);
    expect(told).toEqual(['down: connection refused', 'up']);
    expect(pauses.slice(0, 4)).toEqual([500, 1000, 2000, 4000]);
    expect(Math.max(...pauses)).toBe(30_000);
  });

  it('is tried out without a long poll', async () => {
    const queue = new FakeQueue();
    const { reader, clock, told } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(DOWN);
    const batch = reader.read(30_000, NEVER);
    clock.advance(await clock.sleeping());
    expect((await batch).isEmpty).toBe(true);
    expect(queue.requests.map(({ timeoutMs }) => timeoutMs)).toEqual([0, 30_000, 0]);
    expect(told).toEqual(['down: connection refused', 'up']);
  });

  it('waits as long as the server asks', async () => {
    const queue = new FakeQueue();
    const { reader, clock } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(
      new RateLimitedError({ retryAfterMs: 90_000, status: 429, errcode: undefined }, 'limited'),
    );
    const batch = reader.read(0, NEVER);
    expect(await clock.sleeping()).toBe(90_000);
    clock.advance(90_000);
    await batch;
  });

  it.each([3_600_000, 1e300])(
    'does not wait for ever when the server asks for it (%d ms), and says so',
    async (ms) => {
      const queue = new FakeQueue();
      const { reader, clock, told } = readerOf(queue);
      await reader.read(0, NEVER);
      queue.failures.push(
        new RateLimitedError({ retryAfterMs: ms, status: 429, errcode: undefined }, 'limited'),
      );
      const batch = reader.read(0, NEVER);
      expect(await clock.sleeping()).toBe(900_000);
      expect(told).toEqual(['down: limited', 'limited: 900000']);
      clock.advance(900_000);
      await batch;
    },
  );

  it('is what events are that come with the token that was asked with', async () => {
    let isStuck = true;
    const { reader, clock, told, stored } = readerOf({
      api: 'v3',
      read: ({ since }) =>
        Promise.resolve({
          events: isStuck || since === undefined ? eventsOf(1) : [],
          nextBatch: 's1',
          malformedCount: 0,
        }),
    });
    reader.advance(await reader.read(0, NEVER), 1);
    const batch = reader.read(30_000, NEVER);
    clock.advance(await clock.sleeping());
    const pauseMs = await clock.sleeping();
    expect(pauseMs).toBe(1000);
    isStuck = false;
    clock.advance(pauseMs);
    expect((await batch).isEmpty).toBe(true);
    expect(told).toEqual([expect.stringMatching(/^down: .*next_batch/), 'up']);
    expect(stored).toHaveLength(1);
  });

  it('ends the run after --max-offline', async () => {
    const queue = new FakeQueue();
    const { reader, clock } = readerOf(queue, { maxOfflineMs: 1200 });
    await reader.read(0, NEVER);
    queue.failures.push(DOWN, DOWN, DOWN);
    const batch = reader.read(0, NEVER);
    const refused = expect(batch).rejects.toBe(DOWN);
    const pauses: number[] = [];
    for (let failure = 0; failure < 2; failure += 1) {
      pauses.push(await clock.sleeping());
      clock.advance(pauses.at(-1) ?? 0);
    }
    await refused;
    expect(pauses).toEqual([500, 700]);
  });

  it('ends the run after --max-offline, also while a request hangs', async () => {
    const queue = new FakeQueue();
    let isHanging = false;
    const { reader, clock } = readerOf(
      { api: 'v3', read: (request, signal) => (isHanging ? hang(signal) : queue.read(request, signal)) },
      { maxOfflineMs: 1200 },
    );
    await reader.read(0, NEVER);
    queue.failures.push(DOWN);
    const batch = reader.read(0, NEVER);
    const refused = expect(batch).rejects.toBe(DOWN);
    const pauseMs = await clock.sleeping();
    isHanging = true;
    clock.advance(pauseMs);
    expect(await clock.sleeping()).toBe(700);
    clock.advance(700);
    await refused;
  });

  it.each([
    ['a refused token', answered(401, 'M_UNKNOWN_TOKEN')],
    ['a refusal', answered(403, 'M_FORBIDDEN')],
    ['a locked account', answered(401, 'M_USER_LOCKED')],
    ['a suspended account', answered(403, 'M_USER_SUSPENDED')],
    ['a full disk', new DiskError('full')],
  ])('does not begin with %s', async (_what, error) => {
    const queue = new FakeQueue();
    const { reader, told } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(error);
    await expect(reader.read(0, NEVER)).rejects.toBe(error);
    expect(told).toEqual([]);
  });

  it.each([
    ['a certificate that does not check out', new NetworkError(REQUEST, 'tls', { retryable: false })],
    ['a redirect to elsewhere', new RedirectError('http://127.0.0.1/login', 'sent elsewhere')],
    ['an answer that makes no sense', ODD],
    ['the 403 of a proxy', answered(403)],
    ['the 404 of a proxy', answered(404)],
    ['an endpoint that is gone for now', answered(404, 'M_UNRECOGNIZED')],
  ])('is what %s is, however often it comes', async (_what, error) => {
    const queue = new FakeQueue();
    const { reader, clock, told } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(error, error, error);
    const batch = reader.read(0, NEVER);
    for (let failure = 0; failure < 3; failure += 1) clock.advance(await clock.sleeping());
    expect((await batch).isEmpty).toBe(true);
    expect(told).toEqual([`down: ${error.message}`, 'up']);
  });

  it('ends when the signal aborts', async () => {
    const queue = new FakeQueue();
    const { reader, clock } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.failures.push(DOWN);
    const stop = new AbortController();
    const batch = reader.read(0, stop.signal);
    await clock.sleeping();
    const reason = new Error('stop');
    stop.abort(reason);
    await expect(batch).rejects.toBe(reason);
  });
});

describe('a token that the server does not know', () => {
  const start: Position = { api: 'v3', since: 's7', consumed: 3, digest: 'd' };

  it.each(['M_UNKNOWN', 'M_INVALID_PARAM'])('is done without (%s)', async (errcode) => {
    const queue = new FakeQueue();
    queue.push(...eventsOf(1));
    queue.failures.push(answered(400, errcode));
    const { reader, told } = readerOf(queue, { start });
    expect(numbersOf((await reader.read(0, NEVER)).waiting)).toEqual([1]);
    expect(queue.requests.map(({ since }) => since)).toEqual(['s7', undefined]);
    expect(told).toEqual(['started over']);
  });

  it('is an error where the user gave it', async () => {
    const queue = new FakeQueue();
    const error = answered(400, 'M_UNKNOWN');
    queue.failures.push(error);
    await expect(readerOf(queue, { start, insistOnStart: true }).reader.read(0, NEVER)).rejects.toBe(error);
  });

  it('is done without also in the middle of a run', async () => {
    const queue = new FakeQueue();
    const { reader, told } = readerOf(queue, { start: { ...start, since: 's0' }, insistOnStart: true });
    await reader.read(0, NEVER);
    queue.failures.push(answered(400, 'M_UNKNOWN'));
    await reader.read(0, NEVER);
    expect(told).toEqual(['started over']);
  });

  it('is done without once, not again and again', async () => {
    const queue = new FakeQueue();
    const { reader, clock, told } = readerOf(queue);
    await reader.read(0, NEVER);
    queue.read = ({ since }) =>
      since === undefined
        ? Promise.resolve({ events: eventsOf(1), nextBatch: 's1', malformedCount: 0 })
        : Promise.reject(answered(400, 'M_UNKNOWN'));
    reader.advance(await reader.read(0, NEVER), 1);
    const stop = new AbortController();
    const refused = expect(reader.read(30_000, stop.signal)).rejects.toThrow('stop');
    clock.advance(await clock.sleeping());
    expect(await clock.sleeping()).toBe(1000);
    expect(told).toEqual(['started over', 'down: answered 400']);
    stop.abort(new Error('stop'));
    await refused;
  });

  it('is no excuse for a request that fails without it, too', async () => {
    const queue = new FakeQueue();
    const error = answered(400, 'M_UNKNOWN');
    queue.failures.push(error, error);
    await expect(readerOf(queue, { start }).reader.read(0, NEVER)).rejects.toBe(error);
  });
});

it('pauses between long polls that come back at once with nothing', async () => {
  const queue = new FakeQueue();
  queue.read = () => Promise.resolve({ events: [], nextBatch: 's0', malformedCount: 0 });
  const { reader, clock, told } = readerOf(queue);
  await reader.read(30_000, NEVER);
  await reader.read(30_000, NEVER);
  for (const pauseMs of [500, 1000, 2000]) {
    const batch = reader.read(30_000, NEVER);
    expect(await clock.sleeping()).toBe(pauseMs);
    clock.advance(pauseMs);
    await batch;
  }
  expect(told).toEqual([]);
});

it('asks for a first answer that no cache gave, and only for the first', async () => {
  const queue = new FakeQueue();
  const { reader } = readerOf(queue, { freshStart: true });
  await reader.read(0, NEVER);
  await reader.read(0, NEVER);
  expect(queue.requests.map(({ fresh }) => fresh)).toEqual([true, false]);
});

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}
