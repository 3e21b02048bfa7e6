import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { exchangeAt } from '../../src/federation/exchange-at.js';
import { UnsentError } from '../../src/http/network-error.js';
import type { HttpRequest } from '../../src/http/request.js';
import type { Transport } from '../../src/http/transport.js';
import { TurnedClock } from '../http/turned-clock.js';

const REQUEST = { method: 'GET', url: 'https://a.example/x?y', timeoutMs: 30_000 } as const;
const ENDPOINTS = [
  { address: '192.0.2.1', port: 8448 },
  { address: '2001:db8::1', port: 443 },
  { address: '192.0.2.3', port: 1 },
];

describe('exchangeAt', () => {
  it('takes the first endpoint that can be reached, at its port', async () => {
    const { transport, sent, clock } = world({ '192.0.2.1': 'unsent' });
    expect(await exchangeAt(ENDPOINTS, REQUEST, { transport, clock })).toMatchObject({ status: 200 });
    expect(sent).toMatchObject([
      { url: 'https://a.example:8448/x?y', address: '192.0.2.1' },
      { url: 'https://a.example/x?y', address: '2001:db8::1' },
    ]);
  });

  it('stops where the request may have arrived', async () => {
    const { transport, sent, clock } = world({ '192.0.2.1': 'cut off' });
    await expect(exchangeAt(ENDPOINTS, REQUEST, { transport, clock })).rejects.toThrow('192.0.2.1: cut off');
    expect(sent).toHaveLength(1);
  });

  it('says of several that cannot be reached what is wrong with the first', async () => {
    const { transport, sent, clock } = world({
      '192.0.2.1': 'unsent',
      '2001:db8::1': 'unsent',
      '192.0.2.3': 'unsent',
    });
    await expect(exchangeAt(ENDPOINTS, REQUEST, { transport, clock })).rejects.toThrow('192.0.2.1: unsent');
    expect(sent).toHaveLength(3);
  });

  it('has one time limit for all of them', async () => {
    const { transport, sent, clock } = world({ '192.0.2.1': 'unsent', '2001:db8::1': 'unsent' }, 15_000);
    await expect(exchangeAt(ENDPOINTS, REQUEST, { transport, clock })).rejects.toThrow('192.0.2.1: unsent');
    expect(sent.map(({ timeoutMs }) => timeoutMs)).toEqual([30_000, 15_000]);
  });

  it('cannot send to nowhere', async () => {
    const { transport, clock } = world({});
    await expect(exchangeAt([], REQUEST, { transport, clock })).rejects.toThrow('no endpoint');
  });
});

function world(failing: Readonly<Record<string, 'unsent' | 'cut off'>>, tookMs = 0) {
  const clock = new TurnedClock();
  const sent: HttpRequest[] = [];
  const transport: Transport = {
    async exchange(request) {
      sent.push(request);
      await clock.sleep(tookMs);
      const { method, url, address = '' } = request;
      const failure = failing[address];
      if (failure === undefined) return { status: 200, headers: {}, body: '{}', url };
      const ErrorClass = failure === 'unsent' ? UnsentError : NetworkError;
      throw new ErrorClass({ method, url }, `${address}: ${failure}`);
    },
    close: () => Promise.resolve(),
  };
  return { transport, sent, clock };
}
