import { describe, expect, it } from 'vitest';
import { sendToDevice, sendToDevicePath } from '../../src/client/send-to-device.js';
import { InvalidInputError } from '../../src/errors.js';
import { jsonTextOf, type JsonText } from '../../src/wire/json.js';
import { json } from '../http/loopback-server.js';
import { openTestApi } from './test-api.js';

const TO_SERVER = jsonTextOf({ '@:hs.example': { '': { hello: 1 } } });

describe('sendToDevice', () => {
  it('puts the messages as they stand', async () => {
    const { api, server } = await openTestApi({});
    const messages = '{"@:a":{"":{"n":12345678901234567890,"s":"\\ud800"}}}' as JsonText;
    expect(await sendToDevice(api, { type: 'org.example.x', txnId: 'txn-1', messages })).toEqual({
      attempts: 1,
      elapsedMs: 0,
    });
    expect(server.asked).toMatchObject([
      {
        method: 'PUT',
        path: '/_matrix/client/v3/sendToDevice/org.example.x/txn-1',
        body: `{"messages":${messages}}`,
      },
    ]);
  });

  it('keeps the transaction ID over retries, and counts them', async () => {
    const { api, server } = await openTestApi((_asked, response, index) => {
      if (index === 0) response.req.socket.destroy();
      else json(response, index === 1 ? 429 : 200, {}, { 'retry-after': '2' });
    });
    const accepted = await sendToDevice(api, { type: 't', txnId: 'txn-1', messages: TO_SERVER });
    expect(accepted).toEqual({ attempts: 3, elapsedMs: 2500 });
    expect(new Set(server.asked.map(({ path, body }) => path + body))).toHaveProperty('size', 1);
  });

  it.each(['', '<html>Welcome to the airport</html>', '[]'])(
    'takes no %j for an acceptance',
    async (body) => {
      const { api } = await openTestApi((_asked, response) => response.end(body));
      const sent = sendToDevice(api, { type: 't', txnId: 'x', messages: TO_SERVER });
      await expect(sent).rejects.toMatchObject({ code: 'malformed_response' });
    },
  );

  it('passes on why it was refused', async () => {
    const { api } = await openTestApi((_asked, response) => json(response, 400, { errcode: 'M_BAD_JSON' }));
    const sent = sendToDevice(api, { type: 't', txnId: 'x', messages: TO_SERVER });
    await expect(sent).rejects.toMatchObject({ status: 400, errcode: 'M_BAD_JSON' });
  });
});

describe('sendToDevicePath', () => {
  it('encodes both parts', () => {
    expect(sendToDevicePath('a/b*', "t'1")).toBe('/v3/sendToDevice/a%2Fb%2A/t%271');
    expect(() => sendToDevicePath('..', 'x')).toThrow(InvalidInputError);
  });
});
