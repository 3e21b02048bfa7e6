import { describe, expect, it } from 'vitest';
import { deviceHasKeys } from '../../src/client/keys-query.js';
import { MatrixError } from '../../src/errors.js';
import { json } from '../http/loopback-server.js';
import { openTestApi } from './test-api.js';

const ME = { userId: '@alice:hs.example', deviceId: 'DEV' };

function answerWith(device: unknown): object {
  return { device_keys: { [ME.userId]: { DEV: device } }, failures: {} };
}

describe('deviceHasKeys', () => {
  it('asks for this device', async () => {
    const { api, server } = await openTestApi(answerWith({ keys: { 'ed25519:DEV': 'x' } }));
    expect(await deviceHasKeys(api, ME)).toBe(true);
    expect(server.asked).toMatchObject([
      {
        method: 'POST',
        path: '/_matrix/client/v3/keys/query',
        body: '{"device_keys":{"@alice:hs.example":["DEV"]}}',
      },
    ]);
  });

  it.each([
    {},
    { device_keys: {} },
    { device_keys: { '@alice:hs.example': {} } },
    { device_keys: { '@alice:hs.example': { OTHER: { keys: { a: 'b' } } } } },
    { device_keys: { '@bob:hs.example': { DEV: { keys: { a: 'b' } } } } },
    answerWith({}),
    answerWith({ keys: {} }),
    answerWith(null),
  ])('is false for %j', async (answer) => {
    expect(await deviceHasKeys((await openTestApi(answer)).api, ME)).toBe(false);
  });

  it('is false where the endpoint does not exist, and only there', async () => {
    for (const [status, expected] of [
      [404, false],
      [403, 'thrown'],
    ] as const) {
      const { api } = await openTestApi((_asked, response) => json(response, status, { errcode: 'M_X' }));
      const result = await deviceHasKeys(api, ME).catch((error: unknown) =>
        error instanceof MatrixError ? 'thrown' : error,
      );
      expect(result).toBe(expected);
    }
  });
});
