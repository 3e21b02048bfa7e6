import { describe, expect, it } from 'vitest';
import type { ApiCall, ClientApi } from '../../src/client/api.js';
import { MalformedResponseError } from '../../src/errors.js';
import { openBatchSource } from '../../src/listen/batch-source.js';
import { NEVER } from './kit.js';

const EVENT = { sender: '@:example.org', type: 't', content: { n: 1 } };

/** A homeserver that answers every call with the bodies given, in order. */
function apiOf(...bodies: readonly object[]): { api: ClientApi; calls: ApiCall[] } {
  const calls: ApiCall[] = [];
  const api: ClientApi = {
    baseUrl: 'http://127.0.0.1',
    call: (call) => {
      const body = JSON.stringify(bodies[calls.length]);
      calls.push(call);
      return Promise.resolve({ method: call.method, url: call.path, body, attempts: 1, elapsedMs: 0 });
    },
  };
  return { api, calls };
}

describe('the v3 source', () => {
  it('asks for what it is told', async () => {
    const { api, calls } = apiOf({ next_batch: 's2', to_device: { events: [EVENT] } });
    const source = openBatchSource('v3', api, { fraction: () => 0 });
    const batch = await source.read({ since: 's1', timeoutMs: 30_000 }, NEVER);
    expect(batch).toMatchObject({
      nextBatch: 's2',
      events: [{ sender: '@:example.org', content: '{"n":1}' }],
    });
    expect(calls[0]?.query).toMatchObject({ since: 's1', timeout: '30000' });
  });

  it('varies the timeout where nothing may come from a cache', async () => {
    const { api, calls } = apiOf({ next_batch: 's' }, { next_batch: 's' }, { next_batch: 's' });
    const fractions = [0, 0.9999];
    const source = openBatchSource('v3', api, { fraction: () => fractions.shift() ?? 0 });
    await source.read({ since: undefined, timeoutMs: 0, fresh: true }, NEVER);
    await source.read({ since: undefined, timeoutMs: 0, fresh: true }, NEVER);
    await source.read({ since: 's', timeoutMs: 0, fresh: true }, NEVER);
    expect(calls.map(({ query }) => query?.['timeout'])).toEqual(['1', '1000', '0']);
  });
});

describe('the sliding source', () => {
  const versions = { versions: [], unstable_features: { 'org.matrix.simplified_msc3575': true } };

  it('gives the token of the extension, and none where the answer has none', async () => {
    const extensions = { to_device: { next_batch: '7', events: [EVENT] } };
    const { api } = apiOf(versions, { pos: 'p1', extensions }, { pos: 'p2', extensions: {} });
    const source = openBatchSource('sliding', api, { fraction: () => 0 });
    expect(await source.read({ since: undefined, timeoutMs: 0 }, NEVER)).toMatchObject({ nextBatch: '7' });
    expect(await source.read({ since: '7', timeoutMs: 0 }, NEVER)).toMatchObject({ nextBatch: undefined });
  });

  it('refuses events that could never be acknowledged', async () => {
    const { api } = apiOf(versions, { pos: 'p1', extensions: { to_device: { events: [EVENT] } } });
    const source = openBatchSource('sliding', api, { fraction: () => 0 });
    await expect(source.read({ since: undefined, timeoutMs: 0 }, NEVER)).rejects.toThrow(
      MalformedResponseError,
    );
  });
});
