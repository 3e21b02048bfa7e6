import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { InterruptedError, NetworkError, RateLimitedError, RedirectError } from '../../src/errors.js';
import { exitCodeOf } from '../../src/exit-codes.js';
import { HttpClient, type HttpClientOptions, type RetryNotice } from '../../src/http/client.js';
import { UnsentError } from '../../src/http/network-error.js';
import { openTransport } from '../../src/http/transport.js';
import { json, startLoopbackServer, type LoopbackServer, type Respond } from './loopback-server.js';
import { TurnedClock } from './turned-clock.js';

interface Bench {
  readonly client: HttpClient;
  readonly clock: TurnedClock;
  readonly notices: RetryNotice[];
}

function openClient(options: Partial<HttpClientOptions> = {}): Bench {
  const transport = openTransport({});
  onTestFinished(() => transport.close());
  const clock = new TurnedClock();
  const notices: RetryNotice[] = [];
  const client = new HttpClient({
    transport,
    clock,
    chance: { fraction: () => 0.5 },
    policy: { retries: 5, maxWaitMs: 60_000 },
    onRetry: (notice) => notices.push(notice),
    ...options,
  });
  return { client, clock, notices };
}

/** A server that answers each request with the next of `answers`, and with the last from then on. */
function startScript(...answers: ((...given: Parameters<Respond>) => unknown)[]): Promise<LoopbackServer> {
  return startLoopbackServer((asked, response, index) => {
    answers[Math.min(index, answers.length - 1)]?.(asked, response, index);
  });
}

type Step = Parameters<typeof startScript>[0];
const ok: Step = (_asked, response) => json(response, 200, { fine: true });
const status =
  (code: number, headers = {}): Step =>
  (_asked, response) =>
    json(response, code, { errcode: 'M_UNKNOWN' }, headers);
const cutOff: Step = (_asked, response) => response.req.socket.destroy();
const limited = (retryAfter: string): Step => status(429, { 'retry-after': retryAfter });

describe('a failure that may pass', () => {
  it('is tried again with the same request, after a wait that doubles', async () => {
    const server = await startScript(status(503), cutOff, status(500), ok);
    const { client, clock, notices } = openClient();
    const request = {
      method: 'PUT',
      url: `${server.url}/send/txn1`,
      body: '{"a":1}',
      accessToken: 'tok',
    } as const;
    const answer = await client.send(request);

    expect(answer).toMatchObject({ status: 200, body: '{"fine":true}', attempts: 4, elapsedMs: 3500 });
    expect(clock.slept).toEqual([500, 1000, 2000]);
    expect(new Set(server.asked.map((asked) => JSON.stringify(asked)))).toHaveProperty('size', 1);
    expect(notices).toMatchObject([
      { attempt: 1, delayMs: 500, reason: 'status 503' },
      { attempt: 2, delayMs: 1000, reason: expect.stringContaining('cut off') as string },
      { attempt: 3, delayMs: 2000, reason: 'status 500' },
    ]);
  });

  it('is the answer when the retries are used up', async () => {
    const server = await startScript(status(502));
    const { client, clock } = openClient({ policy: { retries: 2, maxWaitMs: 0 } });
    expect(await client.send({ method: 'GET', url: server.url })).toMatchObject({ status: 502, attempts: 3 });
    expect(clock.slept).toHaveLength(2);
  });

  it('is thrown when the retries are used up', async () => {
    const server = await startScript(cutOff);
    const { client } = openClient({ policy: { retries: 1, maxWaitMs: 0 } });
    await expect(client.send({ method: 'GET', url: server.url })).rejects.toThrow(NetworkError);
    expect(server.asked).toHaveLength(2);
  });

  it('is left alone by a client of other patience over the same connections', async () => {
    const server = await startScript(status(503));
    const { client } = openClient();
    const hasty = client.withPolicy({ retries: 0, maxWaitMs: 0 });
    expect(await hasty.send({ method: 'GET', url: server.url })).toMatchObject({ status: 503, attempts: 1 });
  });
});

describe('a failure for good', () => {
  it.each([400, 401, 403, 404, 413, 501, 505])('status %i is answered at once', async (code) => {
    const server = await startScript(status(code));
    const { client, clock } = openClient();
    expect(await client.send({ method: 'GET', url: server.url })).toMatchObject({
      status: code,
      attempts: 1,
    });
    expect(clock.slept).toEqual([]);
  });

  it('a redirect elsewhere is thrown at once', async () => {
    const server = await startScript((_asked, response) =>
      response.writeHead(302, { location: 'https://elsewhere.example/' }).end(),
    );
    await expect(openClient().client.send({ method: 'GET', url: server.url })).rejects.toThrow(RedirectError);
    expect(server.asked).toHaveLength(1);
  });
});

describe('what must not be done twice', () => {
  const login = (url: string) => ({ method: 'POST', url, body: '{}', retry: 'unsent' }) as const;

  it('is not repeated once it may have arrived', async () => {
    const server = await startScript(cutOff, ok);
    await expect(openClient().client.send(login(server.url))).rejects.toThrow(NetworkError);
    expect(server.asked).toHaveLength(1);

    const failing = await startScript(status(500), ok);
    expect(await openClient().client.send(login(failing.url))).toMatchObject({ status: 500, attempts: 1 });
  });

  it('is repeated as long as no connection is made', async () => {
    const server = await startScript(ok);
    await server.stop();
    const { client, clock } = openClient();
    await expect(client.send(login(server.url))).rejects.toThrow(UnsentError);
    expect(clock.slept).toHaveLength(5);
  });

  it('is repeated after a rate limit, which did nothing', async () => {
    const server = await startScript(limited('2'), ok);
    expect(await openClient().client.send(login(server.url))).toMatchObject({ status: 200, attempts: 2 });
  });

  it('is not repeated at all in mode never', async () => {
    const server = await startScript(limited('1'));
    const request = { method: 'GET', url: server.url, retry: 'never' } as const;
    expect(await openClient().client.send(request)).toMatchObject({ status: 429, attempts: 1 });
  });
});

describe('a rate limit', () => {
  it('is waited for as long as the server asks, and costs no retry', async () => {
    const server = await startScript(limited('7'), limited('3'), ok);
    const { client, clock, notices } = openClient({ policy: { retries: 0, maxWaitMs: 10_000 } });
    expect(await client.send({ method: 'PUT', url: server.url })).toMatchObject({ status: 200, attempts: 3 });
    expect(clock.slept).toEqual([7000, 3000]);
    expect(notices.map(({ reason }) => reason)).toEqual(['rate limited', 'rate limited']);
  });

  it('that asks for too much ends the request, and says for how much', async () => {
    const server = await startScript((_asked, response) =>
      json(
        response,
        429,
        { errcode: 'M_LIMIT_EXCEEDED', error: 'Too Many Requests', retry_after_ms: 292_021 },
        { 'retry-after': '293' },
      ),
    );
    const { client, clock } = openClient();
    const error = await client
      .send({ method: 'POST', url: `${server.url}/login` })
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({
      retryAfterMs: 293_000,
      status: 429,
      errcode: 'M_LIMIT_EXCEEDED',
      message: expect.stringContaining('293 s') as string,
      hint: expect.stringContaining('--max-wait') as string,
    });
    expect(exitCodeOf(error)).toBe(6);
    expect(clock.slept).toEqual([]);
  });

  it('speaks of no limit of ours where nothing is waited for', async () => {
    const server = await startScript(limited('7'));
    const client = openClient().client.withPolicy({ retries: 0, maxWaitMs: 0 });
    await expect(client.send({ method: 'PUT', url: server.url })).rejects.toMatchObject({
      message: `PUT ${server.url}/ is rate limited for 7 s more`,
      hint: 'try again in 7 s',
    });
  });

  it('counts all the waits of one request together, and begins anew with the next', async () => {
    const server = await startScript(limited('40'), limited('40'), limited('40'), ok);
    const { client } = openClient();
    await expect(client.send({ method: 'PUT', url: server.url })).rejects.toThrow(RateLimitedError);
    expect(await client.send({ method: 'PUT', url: server.url })).toMatchObject({ attempts: 2 });
  });
});

describe('the abort signal', () => {
  it('ends a wait with its own reason', async () => {
    const server = await startScript(limited('50'));
    const stop = new AbortController();
    const { client } = openClient({
      clock: systemClock,
      onRetry: () => setImmediate(() => stop.abort(new InterruptedError('SIGINT'))),
    });
    await expect(client.send({ method: 'GET', url: server.url }, stop.signal)).rejects.toEqual(
      new InterruptedError('SIGINT'),
    );
    expect(server.asked).toHaveLength(1);
  });

  it('ends an exchange with its own reason, and nothing is tried again', async () => {
    const server = await startScript(() => undefined);
    const stop = new AbortController();
    const { client, clock } = openClient();
    const sent = client.send({ method: 'GET', url: server.url }, stop.signal);
    await server.arrived(1);
    // a reason that looks like a failure that may pass
    const reason = new NetworkError({ method: 'GET', url: server.url }, 'enough');
    stop.abort(reason);
    await expect(sent).rejects.toBe(reason);
    expect(clock.slept).toEqual([]);
  });
});
