import { describe, expect, it } from 'vitest';
import { LIGHT_FILTER, syncV3 } from '../../src/client/sync.js';
import { MalformedResponseError } from '../../src/errors.js';
import { openTestApi } from './test-api.js';

describe('syncV3', () => {
  it('asks for to-device messages alone, and does not touch presence', async () => {
    const { api, server } = await openTestApi({ next_batch: 's1' });
    await syncV3(api, { timeoutMs: 0 });
    await syncV3(api, { timeoutMs: 30_000, since: 's1&x', filter: '7' });
    const queries = server.asked.map(({ path }) =>
      Object.fromEntries(new URL(path, server.url).searchParams),
    );
    expect(queries).toEqual([
      { filter: LIGHT_FILTER, set_presence: 'offline', timeout: '0' },
      { filter: '7', since: 's1&x', set_presence: 'offline', timeout: '30000' },
    ]);
    expect(JSON.parse(LIGHT_FILTER)).toEqual({
      room: { rooms: [] },
      presence: { types: [] },
      account_data: { types: [] },
    });
  });

  it('reads the batch, contents as they came', async () => {
    const content = '{"n":12345678901234567890,"s":"\\ud800"}';
    const { api } = await openTestApi((_asked, response) =>
      response.end(
        `{"next_batch":"s2","to_device":{"events":[{"sender":"@:a","type":"t","content":${content}},1]}}`,
      ),
    );
    expect(await syncV3(api, { timeoutMs: 0 })).toEqual({
      nextBatch: 's2',
      events: [{ sender: '@:a', type: 't', content }],
      malformedCount: 1,
    });
  });

  it('reads an answer of ten megabytes', async () => {
    const event = JSON.stringify({ sender: '@:a', type: 't', content: { x: 'y'.repeat(30_000) } });
    const { api } = await openTestApi((_asked, response) =>
      response.end(`{"next_batch":"s","to_device":{"events":[${Array(340).fill(event).join()}]}}`),
    );
    expect((await syncV3(api, { timeoutMs: 0 })).events).toHaveLength(340);
  });

  it('names the request when the answer is none', async () => {
    const { api, server } = await openTestApi((_asked, response) => response.end('<html>'));
    const synced = syncV3(api, { timeoutMs: 0, since: 'secret' });
    await expect(synced).rejects.toThrow(MalformedResponseError);
    await expect(synced).rejects.toMatchObject({ at: `GET ${server.url}/_matrix/client/v3/sync` });
  });
});
