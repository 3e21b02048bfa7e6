import { describe, expect, it, onTestFinished } from 'vitest';
import { encodeDirectToDevice } from '../../src/todevice/edu.js';
import { verifyServerKeys } from '../../src/federation/server-keys.js';
import { sendTransaction } from '../../src/federation/send-transaction.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import type { FirstUser } from '../../src/server/first-users.js';
import { jsonTextOf, parseJson, plainValue } from '../../src/wire/json.js';
import { keyOf, openClient, startPeer } from '../federation/peer.js';
import { AUTHORITY } from '../http/certificates.js';
import { json } from '../http/loopback-server.js';
import { NOWHERE, startFederated, startSecond } from './federation-kit.js';

const EDU = jsonTextOf({ content: { n: 1 }, edu_type: 'org.example.edu' });

function client() {
  const transport = openTransport({ trusted: parseCertificates(AUTHORITY) });
  onTestFinished(() => transport.close());
  return (url: string, method: 'GET' | 'PUT' = 'GET') => transport.exchange({ method, url });
}

describe('what the second server answers', () => {
  it('its key and its version, with and without TLS', async () => {
    const { authority, serverName, serverUser } = await startSecond(NOWHERE);
    expect([serverName, serverUser]).toEqual([authority, `@:${authority}`]);
    const ask = client();
    for (const scheme of ['https', 'http']) {
      const { body } = await ask(`${scheme}://${authority}/_matrix/key/v2/server`);
      expect(await verifyServerKeys(parseJson(body), serverName, Date.now())).not.toHaveProperty('fault');
      const version = await ask(`${scheme}://${authority}/_matrix/federation/v1/version`);
      expect(JSON.parse(version.body)).toMatchObject({ server: { name: 'mx2s' } });
    }
  });

  it('nothing else', async () => {
    const { authority, requests } = await startSecond(NOWHERE);
    const ask = client();
    for (const [method, path, status] of [
      ['GET', '/_matrix/federation/v1/user/devices/%40a%3Ab', 404],
      ['GET', '/_matrix/client/versions', 404],
      ['GET', '/_matrix/federation/v1/send/1', 405],
    ] as const) {
      const answer = await ask(`https://${authority}${path}`, method);
      expect(answer).toMatchObject({ status, body: expect.stringContaining('M_UNRECOGNIZED') });
    }
    expect(requests).toEqual([
      'GET /_matrix/federation/v1/user/devices/%40a%3Ab',
      'GET /_matrix/client/versions',
      'GET /_matrix/federation/v1/send/1',
    ]);
  });

  it('by the name and with the key that it is given', async () => {
    const serverName = parseServerName('second.example');
    const { authority } = await startSecond(NOWHERE, { serverName, keys: [keyOf('given', 3)] });
    const { body } = await client()(`http://${authority}/_matrix/key/v2/server`);
    const keys = await verifyServerKeys(parseJson(body), serverName, Date.now());
    expect('fault' in keys ? keys.fault : [...keys.verifyKeys.keys()]).toEqual(['ed25519:given']);
  });
});

describe('what the second server hears', () => {
  it('is what the server under test signs, each transaction once', async () => {
    const peer = await startPeer();
    const second = await startSecond(peer.name);
    const identity = { serverName: peer.name, keys: [peer.key] as const };
    const transaction = { txnId: 't1', originServerTsMs: 1, edus: [EDU] };
    const sender = openClient();
    for (let time = 0; time < 2; time += 1) {
      await sendTransaction(sender, second.serverName, transaction, identity);
    }
    expect(second.heard.all).toEqual([parseJson(EDU)]);
  });

  it('is nothing that another server signs, or nobody', async () => {
    const [peer, other] = [await startPeer(), await startPeer()];
    const second = await startSecond(peer.name);
    const transaction = { txnId: 't1', originServerTsMs: 1, edus: [EDU] };
    const sender = openClient();
    for (const [serverName, key, status] of [
      [other.name, other.key, 403],
      [peer.name, keyOf('peer', 8), 401],
    ] as const) {
      const identity = { serverName, keys: [key] as const };
      await expect(sendTransaction(sender, second.serverName, transaction, identity)).rejects.toMatchObject({
        status,
      });
    }
    expect(second.heard.all).toEqual([]);
    expect(other.asked).toEqual([]); // nobody makes it ask whom he likes for a key
  });
});

describe('what the second server says', () => {
  it('reaches the users of a homeserver', async () => {
    const server = await startFederated();
    const second = await startSecond(server.serverName);
    const [alice] = server.users as [FirstUser];
    const edu = encodeDirectToDevice({
      sender: second.user('probe'),
      type: 'org.example.x',
      messageId: 'm1',
      messages: new Map([[alice.userId, new Map([[alice.deviceId, jsonTextOf({ n: 1 })]])]]),
    });
    await second.say([EDU, edu]);
    const headers = { authorization: `Bearer ${alice.accessToken}` };
    const sync = await fetch(`${server.homeserver}/_matrix/client/v3/sync`, { headers });
    expect(await sync.json()).toMatchObject({
      to_device: { events: [{ sender: `@probe:${second.serverName}`, content: { n: 1 } }] },
    });
  });

  it('may be a question', async () => {
    const server = await startFederated();
    const second = await startSecond(server.serverName);
    const [alice] = server.users as [FirstUser];
    const uriOf = (userId: string) => `/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`;
    const known = plainValue(await second.ask(uriOf(alice.userId)));
    expect(known).toMatchObject({ user_id: alice.userId, devices: [] });
    await expect(second.ask(uriOf(`@:${server.serverName}`))).rejects.toMatchObject({
      status: 404,
      errcode: 'M_NOT_FOUND',
    });
  });

  it('may be refused', async () => {
    const peer = await startPeer((_asked, response) => json(response, 500, { errcode: 'M_UNKNOWN' }));
    const second = await startSecond(peer.name);
    await expect(second.say([EDU])).rejects.toMatchObject({ status: 500, errcode: 'M_UNKNOWN' });
  });

  it('can be called off', async () => {
    const peer = await startPeer(() => undefined);
    const second = await startSecond(peer.name);
    const calling = new AbortController();
    const saying = second.say([EDU], calling.signal);
    await peer.arrived(1);
    calling.abort(new Error('called off'));
    await expect(saying).rejects.toThrow('called off');
  });

  it('names only users of its own', async () => {
    const second = await startSecond(NOWHERE);
    expect(second.user('probe')).toBe(parseUserId(`@probe:${second.serverName}`));
  });
});
