import { describe, expect, it, onTestFinished } from 'vitest';
import { fanOut } from '../../src/federation/fan-out.js';
import { KeyRing } from '../../src/federation/key-ring.js';
import { openMemoryOutboxStore } from '../../src/federation/memory-outbox-store.js';
import { Outbox } from '../../src/federation/outbox.js';
import { sendTransaction } from '../../src/federation/send-transaction.js';
import { publishedKeys, type Identity } from '../../src/federation/server-keys.js';
import { verifyTransaction } from '../../src/federation/verify-request.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { serverUserOf } from '../../src/ids/user-id.js';
import { parseDirectToDevice } from '../../src/todevice/edu.js';
import { splitMessages } from '../../src/todevice/split.js';
import { CanonicalJsonError } from '../../src/wire/canonical-json.js';
import { jsonTextOf, type JsonText } from '../../src/wire/json.js';
import { json, type Asked } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';
import { keyOf, openClient, startPeer } from './peer.js';

const identity: Identity = { serverName: parseServerName('a.example'), keys: [keyOf('1', 1)] };
const transaction = { txnId: 'a/b', originServerTsMs: 1000, edus: [jsonTextOf({ edu_type: 'x' })] };

describe('sendTransaction', () => {
  it('is verified by who receives it', async () => {
    const peer = await startPeer();
    const answer = await sendTransaction(openClient(), peer.name, transaction, identity);
    expect(answer).toMatchObject({ status: 200, attempts: 1 });
    expect(peer.asked).toMatchObject([
      {
        method: 'PUT',
        path: '/_matrix/federation/v1/send/a%2Fb',
        headers: { 'content-type': 'application/json' },
        body: '{"edus":[{"edu_type":"x"}],"origin":"a.example","origin_server_ts":1000,"pdus":[]}',
      },
    ]);
    expect(await verified(peer.asked, peer.name)).toMatchObject([
      { origin: 'a.example', transaction: { originServerTsMs: 1000, pdus: [] } },
    ]);
  });

  it.each([
    [503, { errcode: 'M_UNKNOWN' }, { code: 'server_error', status: 503 }],
    [400, { errcode: 'M_BAD_JSON' }, { code: 'refused', status: 400, errcode: 'M_BAD_JSON' }],
    [
      429,
      { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 5000 },
      { code: 'rate_limited', retryAfterMs: 5000 },
    ],
    [302, {}, { code: 'refused', status: 302 }],
  ])('is not taken with a %i', async (status, body, error) => {
    const peer = await startPeer((_asked, response) => json(response, status, body));
    await expect(sendTransaction(openClient(), peer.name, transaction, identity)).rejects.toMatchObject(
      error,
    );
    expect(peer.asked).toHaveLength(1);
  });

  it('does not send what cannot be signed', async () => {
    const peer = await startPeer();
    const edus = ['{"edu_type":1.5}' as JsonText];
    const sending = sendTransaction(openClient(), peer.name, { ...transaction, edus }, identity);
    await expect(sending).rejects.toBeInstanceOf(CanonicalJsonError);
    expect(peer.asked).toEqual([]);
  });
});

describe('an outbox over sockets', () => {
  it('R-14: gets a thousand messages to a server that was down, in order and once each', async () => {
    const peer = await startPeer((_asked, response, index) =>
      index < 3 ? json(response, 503, {}) : json(response, 200, { pdus: {} }),
    );
    const client = openClient();
    const outbox = new Outbox({
      origin: identity.serverName,
      store: openMemoryOutboxStore(),
      transmit: (destination, each, signal) => sendTransaction(client, destination, each, identity, signal),
      clock: new TurnedClock(1_700_000_000_000),
      chance: { uuid: () => crypto.randomUUID(), fraction: () => 0 },
    });
    onTestFinished(() => outbox.stop());
    let count = 0;
    const freshMessageId = () => `m${String((count += 1))}`;
    for (let n = 0; n < 1000; n += 1) {
      const messages = new Map([[`@:${peer.name}`, new Map([['*', jsonTextOf({ n })]])]]);
      const users = splitMessages(messages, identity.serverName).remote.get(peer.name) ?? new Map();
      const message = { sender: serverUserOf(identity.serverName), type: 'org.example.count', users };
      await outbox.append(peer.name, fanOut(message, freshMessageId).edus);
    }
    await peer.arrived(3 + 1 + 10);
    const [first, second, third, fourth] = peer.asked;
    for (const again of [second, third, fourth])
      expect(again).toEqual({ ...first, headers: expect.anything() });

    const transactions = await verified(peer.asked.slice(3), peer.name);
    const edus = transactions.flatMap((each) => each.transaction.edus);
    const received = edus.map((edu) => {
      const message = parseDirectToDevice(edu, identity.serverName);
      if (typeof message === 'string') throw new Error(message);
      return [message.messageId, message.messages.get(`@:${peer.name}`)?.get('')];
    });
    expect(received).toEqual(
      Array.from({ length: 1000 }, (_each, n) => [`m${String(n + 1)}`, `{"n":${String(n)}}`]),
    );
  });
});

/** What the receiver makes of requests from us. */
async function verified(asked: readonly Asked[], receiver: ServerName) {
  const ring = new KeyRing({
    fetch: () => Promise.resolve(publishedKeys(identity, Date.now())),
    clock: { now: () => Date.now() },
  });
  const results = [];
  for (const { method, path, headers, body } of asked) {
    const request = { method, uri: path, authorization: [headers.authorization ?? ''], body };
    const result = await verifyTransaction(request, receiver, (name, keyId) => ring.keyFor(name, keyId));
    if ('status' in result) throw new Error(result.error);
    results.push(result);
  }
  return results;
}
