import { describe, expect, it } from 'vitest';
import { holdsNonce } from '../../src/check/bench.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { ok, twistedBench } from './twisted-server.js';

const SIGNAL = new AbortController().signal;

describe('a bench', () => {
  it('asks, and gives the answer', async () => {
    const { bench } = await twistedBench();
    const answer = await bench.ask(SIGNAL);
    expect(answer?.event).toMatchObject({ sender: '@:hs.test', type: 'mx2s.pong' });
    expect(answer?.event.content).toContain(answer?.nonce);
    expect(answer?.afterMs).toBeGreaterThanOrEqual(0);
  });

  it('gives what came before a later answer', async () => {
    const { bench } = await twistedBench();
    const nonces = [await bench.ping(SIGNAL), await bench.ping(SIGNAL, { device: '*', namesDevice: false })];
    const events = await bench.askLater(SIGNAL);
    expect(events).toHaveLength(3);
    for (const nonce of nonces) expect(events?.filter((event) => holdsNonce(event, nonce))).toHaveLength(1);
  });

  it('waits a short while for what comes behind what was sent after it', async () => {
    const { bench } = await twistedBench();
    const event = (nonce: string) => ({ sender: '@a:hs.test', type: 't', content: jsonTextOf({ nonce }) });
    const batches = [[], [event('later')], [event('earlier')], [event('next')]];
    const inbox = { read: async () => batches.shift() ?? [], settle: async () => undefined };
    expect(await bench.collectPast({ ...bench.account, inbox }, 'later', SIGNAL)).toEqual({
      events: [event('later'), event('earlier')],
      found: true,
    });
  });

  it('waits for nothing so long', async () => {
    const { bench } = await twistedBench({ probeType: 'org.example.unknown' });
    expect(await bench.ask(SIGNAL)).toBeUndefined();
    expect(await bench.askLater(SIGNAL)).toBeUndefined();
  });

  it('finds out once whether there are answers', async () => {
    let pings = 0;
    const { bench } = await twistedBench({
      twist: (request, pass) => {
        if (request.path.includes('mx2s.ping')) pings += 1;
        return pass();
      },
    });
    expect([await bench.answers(SIGNAL), await bench.answers(SIGNAL), pings]).toEqual([true, true, 1]);
  });

  it('finds it out again after a failure', async () => {
    let fails = true;
    const { bench } = await twistedBench({
      twist: async (request, pass) => (fails && request.path.includes('mx2s.ping') ? ok({}, 500) : pass()),
    });
    await expect(bench.answers(SIGNAL)).rejects.toMatchObject({ code: 'server_error' });
    fails = false;
    expect(await bench.answers(SIGNAL)).toBe(true);
  });

  it('makes nonces of which none is part of another', async () => {
    const { bench } = await twistedBench();
    const nonces = Array.from({ length: 120 }, () => bench.nonce());
    for (const nonce of nonces) expect(nonces.filter((each) => each.includes(nonce))).toEqual([nonce]);
  });

  it('peeks without acknowledging, and never asks the same twice', async () => {
    const asked: string[] = [];
    const { bench } = await twistedBench({
      twist: (request, pass) => {
        asked.push(request.url);
        return pass();
      },
    });
    const answer = await bench.ask(SIGNAL);
    asked.length = 0;
    for (let times = 0; times < 3; times += 1)
      expect(await bench.peek(bench.account, SIGNAL)).toHaveLength(1);
    expect(new Set(asked).size).toBe(3);
    expect(answer).toBeDefined();
    await bench.account.inbox.settle();
    expect(await bench.peek(bench.account, SIGNAL)).toEqual([]);
  });
});
