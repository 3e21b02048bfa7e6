import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { openTransport } from '../../src/http/transport.js';
import { UnreachableError } from '../../src/subsystems/handler.js';
import { createWebhook } from '../../src/subsystems/webhook.js';
import { MESSAGE, MESSAGE_LINE } from './message.js';

/** Hands the message to a web service that gives this answer. */
async function callWebhook(status: number, body = '') {
  const received: { method: string | undefined; type: string | undefined; body: string }[] = [];
  const server = createServer((request, response) => {
    const { method, headers } = request;
    void text(request).then((sent) => {
      received.push({ method, type: headers['content-type'], body: sent });
      response.writeHead(status).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const transport = openTransport({});
  onTestFinished(async () => {
    await transport.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  const handler = createWebhook(url, (request, signal) => transport.exchange(request, signal));
  return { answer: handler(MESSAGE, new AbortController().signal), received };
}

it('posts the message as one line of JSON', async () => {
  const { answer, received } = await callWebhook(204);
  expect(await answer).toBeUndefined();
  expect(received).toEqual([
    {
      method: 'POST',
      type: 'application/json',
      body: MESSAGE_LINE,
    },
  ]);
});

it('takes the answer from a 200', async () => {
  const { answer } = await callWebhook(200, '{"type":"org.example.y","content":{"n":123456789012345678901}}');
  expect(await answer).toEqual([{ type: 'org.example.y', content: '{"n":123456789012345678901}' }]);
});

it.each([
  [200, '', 'expected a value'],
  [200, '{}', 'no object under "content"'],
  [201, '{"content":{}}', 'the web service answered 201'],
  [404, '', 'the web service answered 404'],
  [500, '', 'the web service answered 500'],
])('fails for %i %s', async (status, body, why) => {
  const { answer } = await callWebhook(status, body);
  await expect(answer).rejects.toThrow(why);
});

it.each([
  ['is not there when its connection is refused', false, UnreachableError],
  ['has failed when it hangs up', true, NetworkError],
])('%s', async (_what, isThere, errorClass) => {
  const server = createServer((request) => request.socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  if (!isThere) await new Promise((resolve) => server.close(resolve));
  const transport = openTransport({});
  onTestFinished(async () => {
    await transport.close();
    server.close();
  });
  const handler = createWebhook(url, (request, signal) => transport.exchange(request, signal));
  await expect(handler(MESSAGE, new AbortController().signal)).rejects.toBeInstanceOf(errorClass);
});
