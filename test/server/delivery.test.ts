import { describe, expect, it, vi } from 'vitest';
import { openTestServer, SERVER_USER } from './kit.js';

describe('Delivery', () => {
  it('answers 500 when the store fails, and does nothing of the request', async () => {
    const bugs: unknown[] = [];
    const server = await openTestServer({ on: ['*=echo'], onFault: (error) => bugs.push(error) });
    const broken = new Error('disk full');
    vi.spyOn(server.home.store, 'deliver').mockRejectedValueOnce(broken);
    const body = { messages: { [SERVER_USER]: { '': {} } } };
    const put = () => server.call('PUT', '/v3/sendToDevice/t/1', { token: server.alice.accessToken, body });

    const failed = await put();
    expect([failed.status, failed.json.errcode]).toEqual([500, 'M_UNKNOWN']);
    expect([bugs, server.log]).toEqual([[broken], []]);
    expect((await put()).status).toBe(200); // the same transaction, which has not happened yet
    await server.home.delivery.settled();
    expect(await server.waiting(server.alice)).toHaveLength(1);
  });

  it('survives a store that fails under an answer', async () => {
    const bugs: unknown[] = [];
    const server = await openTestServer({ on: ['*=echo'], onFault: (error) => bugs.push(error) });
    const { deliver } = server.home.store;
    const broken = new Error('disk full');
    vi.spyOn(server.home.store, 'deliver').mockImplementation(async (delivery) => {
      if (delivery.sender === SERVER_USER) throw broken;
      return deliver.call(server.home.store, delivery);
    });
    const reply = await server.send(server.alice, 't', { [SERVER_USER]: { '': {} } });
    expect(reply.status).toBe(200);
    expect(bugs).toEqual([broken]);
  });
});
