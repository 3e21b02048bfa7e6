import { describe, expect, it } from 'vitest';
import type { ApiCall, ClientApi } from '../../src/client/api.js';
import { MatrixError, NetworkError, RateLimitedError } from '../../src/errors.js';
import { createMetrics, type Metrics } from '../../src/gateway/metrics.js';
import { createWorker, type Worker } from '../../src/gateway/worker.js';
import { parseServerName } from '../../src/ids/server-name.js';
import type { LogEntry } from '../../src/server/log-entry.js';
import { createRateLimit } from '../../src/server/rate-limit.js';
import { createDispatcher } from '../../src/subsystems/dispatch.js';
import { echo } from '../../src/subsystems/echo.js';
import { UnreachableError, type Handler } from '../../src/subsystems/handler.js';
import { parseRecipient } from '../../src/todevice/message.js';
import type { JsonText } from '../../src/wire/json.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';
import { ManualClock } from '../listen/kit.js';

const REQUEST = { method: 'PUT', url: 'http://hs.test' } as const;
const matrixError = (status: number, errcode?: string) =>
  new MatrixError({ ...REQUEST, status, errcode }, `answered ${String(status)}`);

describe('the tries of a handler', () => {
  it('are used up, then the event is counted and told once', async () => {
    let calls = 0;
    const stage = openStage(() => {
      calls += 1;
      return Promise.reject(new Error('no luck'));
    });
    const done = stage.work(eventOf({}));
    // the pauses, with the middle of their chance: 125 ms, 250 ms; beside each, nothing of the handler's own is left
    for (const pauseMs of [125, 250]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      stage.clock.advance(pauseMs);
    }
    await done;
    expect(calls).toBe(3);
    expect(stage.metrics).toMatchObject({ handlerRetries: 2, events: { failed: 1, handled: 0 } });
    expect(stage.log).toMatchObject([{ direction: 'in', outcome: 'failed' }]);
    expect(stage.told).toEqual(['org.example.a: no luck']);
  });

  it('end with the first success', async () => {
    const outcomes = [() => Promise.reject(new Error('not yet')), echo];
    const stage = openStage((message, signal) => (outcomes.shift() ?? echo)(message, signal));
    const done = stage.work(eventOf({ n: 1 }));
    await stage.clock.sleeping();
    stage.clock.advance(125);
    await done;
    expect(stage.metrics).toMatchObject({ handlerRetries: 1, events: { failed: 0, handled: 1 } });
    expect(stage.calls).toHaveLength(1);
  });

  it('do not count when they were cut off', async () => {
    const stage = openStage(() => new Promise(() => undefined));
    const done = stage.work(eventOf({}));
    stage.cut.abort(new Error('told to stop'));
    await stage.close();
    await expect(done).rejects.toThrow('told to stop');
    expect(stage.metrics.events.failed).toBe(0);
    expect(stage.log).toEqual([]);
  });
});

describe('a handler that is not there', () => {
  const SERVICE = 'http://handler.test/';
  const gone = () => Promise.reject(new UnreachableError(SERVICE, 'connection refused'));

  it('uses up no tries, and is told of once', async () => {
    const outcomes: Handler[] = [...Array<Handler>(10).fill(gone), echo];
    const stage = openStage((message, signal) => (outcomes.shift() ?? echo)(message, signal));
    const done = stage.work(eventOf({}));
    for (const pauseMs of [125, 250, 500, 1000, 2000, 2000, 2000, 2000, 2000, 2000]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      stage.clock.advance(pauseMs);
    }
    await done;
    expect(stage.metrics).toMatchObject({ handlerRetries: 0, events: { failed: 0, handled: 1 } });
    expect(stage.told).toEqual([`lost ${SERVICE}: connection refused`, `regained ${SERVICE}`]);
  });

  it('has all its tries when it is there again', async () => {
    const outcomes: Handler[] = [
      gone,
      gone,
      gone,
      ...Array<Handler>(3).fill(() => Promise.reject(new Error('no luck'))),
    ];
    const stage = openStage((message, signal) => (outcomes.shift() ?? echo)(message, signal));
    const done = stage.work(eventOf({}));
    for (const pauseMs of [125, 250, 500, 125, 250]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      stage.clock.advance(pauseMs);
    }
    await done;
    expect(stage.metrics).toMatchObject({ handlerRetries: 2, events: { failed: 1 } });
  });

  it('fails like any other once it is away for longer than is waited', async () => {
    const stage = openStage(gone, undefined, 200);
    const done = stage.work(eventOf({}));
    for (const pauseMs of [125, 250, 125, 250]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      stage.clock.advance(pauseMs);
    }
    await done;
    expect(stage.metrics).toMatchObject({ handlerRetries: 2, events: { failed: 1 } });
    // the next one finds it away since long
    const next = stage.work(eventOf({}));
    for (const pauseMs of [125, 250]) {
      expect(await stage.clock.sleeping()).toBe(pauseMs);
      stage.clock.advance(pauseMs);
    }
    await next;
    expect(stage.metrics).toMatchObject({ handlerRetries: 4, events: { failed: 2 } });
    expect(stage.told.filter((line) => line.startsWith('lost'))).toHaveLength(1);
  });

  it('is waited for until the gateway stops', async () => {
    const stage = openStage(gone);
    const done = stage.work(eventOf({}));
    await stage.clock.sleeping();
    stage.cut.abort(new Error('told to stop'));
    await expect(done).rejects.toThrow('told to stop');
    expect(stage.metrics.events.failed).toBe(0);
  });
});

describe('an answer', () => {
  it.each([
    ['no connection', new NetworkError(REQUEST, 'cut off'), 125],
    ['a failure of the homeserver', matrixError(502), 125],
    [
      'a rate limit',
      new RateLimitedError({ retryAfterMs: 9000, status: 429, errcode: undefined }, 'slowly'),
      9000,
    ],
  ])('is sent again under the same ID after %s', async (_name, failure, pauseMs) => {
    const stage = openStage(echo);
    stage.failures.push(failure);
    const done = stage.work(eventOf({ n: 1 }), 'txn');
    expect(await stage.clock.sleeping()).toBe(pauseMs);
    expect(stage.metrics.isConnected).toBe(false);
    stage.clock.advance(pauseMs);
    await done;
    expect(stage.metrics.isConnected).toBe(true);
    expect(stage.calls.map(({ path }) => path)).toEqual([
      '/v3/sendToDevice/org.example.a/txn',
      '/v3/sendToDevice/org.example.a/txn',
    ]);
    expect(stage.metrics).toMatchObject({ answerRetries: 1, answers: { accepted: 1 } });
  });

  it.each([
    ['what the homeserver refuses', matrixError(413, 'M_TOO_LARGE'), 'org.example.a'],
    ['a type that no request can hold', undefined, '..'],
  ])('is given up with %s', async (_name, failure, type) => {
    const stage = openStage(async ({ content }) => ({ type, content }));
    if (failure !== undefined) stage.failures.push(failure);
    await stage.work(eventOf({}));
    expect(stage.metrics).toMatchObject({ answers: { accepted: 0, refused: 1 }, events: { handled: 1 } });
    expect(stage.told).toHaveLength(1);
  });

  it('that the gateway may not send any more ends it', async () => {
    const stage = openStage(echo);
    stage.failures.push(matrixError(401, 'M_UNKNOWN_TOKEN'));
    await expect(stage.work(eventOf({}))).rejects.toMatchObject({ code: 'token_refused' });
  });

  it.each([
    ['@alice:example.org', {}, '{"@alice:example.org":{"*":{}}}'],
    ['@alice:example.org', { device_id: 'DEV' }, '{"@alice:example.org":{"DEV":{"device_id":"DEV"}}}'],
    ['@Bob!:remote.example', { device_id: '' }, '{"@Bob!:remote.example":{"*":{"device_id":""}}}'],
    ['@:remote.example', {}, undefined],
    ['@:example.org', {}, undefined],
  ])(
    'to %s who says %j goes to the device named, else to all, and never to a server',
    async (sender, content, to) => {
      const stage = openStage(echo);
      await stage.work({ ...eventOf(content), sender });
      expect(stage.calls.map(({ body }) => body)).toEqual(to === undefined ? [] : [`{"messages":${to}}`]);
      expect(stage.metrics.events.handled).toBe(1);
    },
  );
});

it('sends answers for several in as few requests as their types allow, each under an ID of its own', async () => {
  const to = (user: string, type: string) => ({
    type,
    content: '{}' as JsonText,
    recipient: parseRecipient(user, 'DEV'),
  });
  const stage = openStage(async () => [
    to('@bob:example.org', 'a'),
    to('@zed:remote.example', 'a'),
    to('@bob:example.org', 'b'),
  ]);
  await stage.work(eventOf({}), 'txn');
  expect(stage.calls.map(({ path, body }) => [path, body])).toEqual([
    [
      '/v3/sendToDevice/a/txn',
      '{"messages":{"@bob:example.org":{"DEV":{}},"@zed:remote.example":{"DEV":{}}}}',
    ],
    ['/v3/sendToDevice/b/txn.1', '{"messages":{"@bob:example.org":{"DEV":{}}}}'],
  ]);
  expect(stage.metrics.answers).toEqual({ accepted: 3, refused: 0 });
  expect(stage.log.slice(1).map(({ to: user, type, via }) => [user, type, via])).toEqual([
    ['@bob:example.org', 'a', 'client'],
    ['@zed:remote.example', 'a', 'federation'],
    ['@bob:example.org', 'b', 'client'],
  ]);
});

it('drops what nobody wants, and keeps its content to itself', async () => {
  const stage = openStage(undefined);
  await stage.work(eventOf({ secret: 1 }));
  expect(stage.log).toMatchObject([{ outcome: 'dropped', content: undefined }]);
});

it.each([
  { sender: undefined },
  { sender: 'alice' },
  { type: undefined },
  { content: '[]' as JsonText },
  { content: `{"a":${'['.repeat(200)}${']'.repeat(200)}}` as JsonText },
])('counts what no server can handle: %j', async (odd) => {
  const stage = openStage(echo);
  await stage.work({ ...eventOf({}), ...odd });
  expect(stage.metrics.events.malformed).toBe(1);
  expect([stage.log, stage.calls]).toEqual([[], []]);
});

it('lets each sender address the server only so often', async () => {
  const stage = openStage(echo, 1);
  await stage.work(eventOf({ n: 1 }));
  await stage.work(eventOf({ n: 2 }));
  await stage.work({ ...eventOf({ n: 3 }), sender: '@bob:example.org' });
  expect(stage.metrics.events).toMatchObject({ handled: 2, limited: 1 });
  expect(stage.calls).toHaveLength(2);
});

interface Stage {
  readonly clock: ManualClock;
  readonly metrics: Metrics;
  readonly log: LogEntry[];
  readonly told: string[];
  readonly calls: ApiCall[];
  /** Thrown by the next calls, one each. */
  readonly failures: unknown[];
  readonly cut: AbortController;
  work(event: ToDeviceEvent, txnId?: string): ReturnType<Worker['work']>;
  close(): Promise<void>;
}

/** A worker with one handler for everything. */
function openStage(handler: Handler | undefined, perSecond?: number, handlerWaitMs = Infinity): Stage {
  const clock = new ManualClock();
  const metrics = createMetrics();
  const log: LogEntry[] = [];
  const told: string[] = [];
  const calls: ApiCall[] = [];
  const failures: unknown[] = [];
  const api: ClientApi = {
    baseUrl: REQUEST.url,
    call: (call) => {
      calls.push(call);
      const failure: unknown = failures.shift();
      if (failure !== undefined) return Promise.reject(failure as Error);
      return Promise.resolve({ ...REQUEST, body: '{}', attempts: 1, elapsedMs: 0 });
    },
  };
  const dispatcher = createDispatcher({
    handlerFor: () => handler,
    clock,
    reach: {
      lost: (service, reason) => told.push(`lost ${service}: ${reason}`),
      regained: (service) => told.push(`regained ${service}`),
    },
  });
  const cut = new AbortController();
  const worker = createWorker({
    serverName: parseServerName('example.org'),
    api,
    dispatcher,
    handlerRetries: 2,
    handlerWaitMs,
    rateLimit: perSecond === undefined ? undefined : createRateLimit(perSecond, clock),
    clock,
    chance: { fraction: () => 0.5 },
    metrics,
    onEvent: (entry) => log.push(entry),
    onFailure: (type, reason) => told.push(`${type}: ${reason}`),
    onRefusal: (type, error) => told.push(`${type}: ${error.message}`),
  });
  return {
    clock,
    metrics,
    log,
    told,
    calls,
    failures,
    cut,
    work: (event, txnId = 'txn') => worker.work(event, txnId, cut.signal),
    close: () => dispatcher.close(),
  };
}

function eventOf(content: object): ToDeviceEvent {
  return {
    sender: '@alice:example.org',
    type: 'org.example.a',
    content: JSON.stringify(content) as JsonText,
  };
}
