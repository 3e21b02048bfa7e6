import { describe, expect, it } from 'vitest';
import { TurnedClock } from '../http/turned-clock.js';
import { json } from '../http/loopback-server.js';
import { encodeServerMail, ServerSpeaker } from '../../src/federation/server-speaker.js';
import { parsePublicKey } from '../../src/federation/signing-key.js';
import { parseServerName } from '../../src/ids/server-name.js';
import {
  parseContent,
  parseEventType,
  parseRecipient,
  parseTransactionId,
  type OutgoingMessage,
} from '../../src/todevice/message.js';
import { MAX_DEPTH, parseJson } from '../../src/wire/json.js';
import { parseXMatrix, requestSigningText } from '../../src/wire/x-matrix.js';
import { keyOf, openClient, startPeer, type Peer } from './peer.js';

const OWN = parseServerName('example.org');
const TXN = parseTransactionId('t/1');

function messageTo(to: string, device?: string, content = '{"k":1.0}'): OutgoingMessage {
  return {
    recipient: parseRecipient(to, device),
    type: parseEventType('org.example.x'),
    content: parseContent(content),
  };
}

describe('encodeServerMail', () => {
  const mail = (message: OutgoingMessage) => {
    const { destination, edu } = encodeServerMail(message, TXN, OWN);
    return { destination, edu: JSON.parse(edu) as { content: { message_id: string } } };
  };

  it('R-14, R-27: speaks as the server user, to a device, to all devices, to a server', () => {
    expect(mail(messageTo('@a:b.test:1', 'DEV'))).toEqual({
      destination: 'b.test:1',
      edu: {
        edu_type: 'm.direct_to_device',
        content: {
          sender: '@:example.org',
          type: 'org.example.x',
          message_id: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
          messages: { '@a:b.test:1': { DEV: { k: 1 } } },
        },
      },
    });
    expect(mail(messageTo('@a:b.test', '*')).edu.content).toMatchObject({
      messages: { '@a:b.test': { '*': { k: 1 } } },
    });
    expect(mail(messageTo('@:b.test')).edu.content).toMatchObject({
      messages: { '@:b.test': { '': { k: 1 } } },
    });
  });

  it('R-10: knows no device of a server but ""', () => {
    expect(mail(messageTo('@:b.test', '*')).edu.content).toMatchObject({
      messages: { '@:b.test': { '': { k: 1 } } },
    });
  });

  it('R-18: gives a repeat the same message ID, and another message another', () => {
    const idOf = (txnId: string) => {
      const { edu } = encodeServerMail(messageTo('@:b.test'), parseTransactionId(txnId), OWN);
      return (JSON.parse(edu) as { content: { message_id: string } }).content.message_id;
    };
    expect(idOf('a')).toBe(idOf('a'));
    expect(idOf('a')).not.toBe(idOf('b'));
    expect(idOf('é'.repeat(1000))).toHaveLength(32);
  });

  it.each([
    ['@a:example.org', 'DEV'],
    ['@:example.org', undefined],
  ])('refuses %s, who is of the server itself', (to, device) => {
    expect(() => mail(messageTo(to, device))).toThrow('sends nothing to itself');
  });

  it.each([
    ['long', JSON.stringify({ k: 'x'.repeat(65_400) })],
    ['deep', `{"k":${'['.repeat(MAX_DEPTH - 2)}${']'.repeat(MAX_DEPTH - 2)}}`],
  ])('refuses content that is too %s with what goes around it', (_how, content) => {
    expect(() => mail(messageTo('@:b.test', undefined, content))).toThrow('with what goes around it');
  });
});

describe('ServerSpeaker', () => {
  const KEY = keyOf('a_1', 1);
  const speaker = () =>
    new ServerSpeaker({
      identity: { serverName: OWN, keys: [KEY] },
      client: openClient(),
      clock: new TurnedClock(1_700_000_000_000),
    });
  const never = new AbortController().signal;

  it('sends a transaction that the key of the server has signed', async () => {
    const peer = await startPeer();
    await speaker().send(messageTo(`@a:${peer.name}`, 'DEV'), TXN, never);
    const [asked] = peer.asked;
    expect(asked).toMatchObject({ method: 'PUT', path: '/_matrix/federation/v1/send/t%2F1' });
    expect(JSON.parse(asked?.body ?? '')).toMatchObject({
      origin: 'example.org',
      origin_server_ts: 1_700_000_000_000,
      pdus: [],
      edus: [{ edu_type: 'm.direct_to_device' }],
    });
    expect(await isSignedBy(KEY.publicKey, peer)).toBe(true);
  });

  it('has one transaction on its way to each server', async () => {
    let underWay = 0;
    let most = 0;
    const peer = await startPeer((_asked, response) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setImmediate(() => {
        underWay -= 1;
        json(response, 200, { pdus: {} });
      });
    });
    const other = await startPeer();
    const one = speaker();
    const send = (to: Peer, txnId: string) =>
      one.send(messageTo(`@:${to.name}`), parseTransactionId(txnId), never);
    await Promise.all([send(peer, '1'), send(peer, '2'), send(other, '3'), send(peer, '4')]);
    expect(most).toBe(1);
    expect(peer.asked.map(({ path }) => path.split('/').at(-1))).toEqual(['1', '2', '4']);
    expect(other.asked).toHaveLength(1);
  });

  it('goes on after a refusal', async () => {
    const peer = await startPeer((_asked, response, index) => {
      if (index === 0) json(response, 401, { errcode: 'M_UNAUTHORIZED', error: 'no' });
      else json(response, 200, { pdus: {} });
    });
    const one = speaker();
    const [first, second] = ['1', '2'].map((txnId) =>
      one.send(messageTo(`@:${peer.name}`), parseTransactionId(txnId), never),
    );
    await expect(first).rejects.toMatchObject({ status: 401, errcode: 'M_UNAUTHORIZED' });
    await expect(second).resolves.toMatchObject({ status: 200 });
  });
});

async function isSignedBy(publicKey: string, { name, asked: [asked] }: Peer): Promise<boolean> {
  const header = parseXMatrix(asked?.headers.authorization ?? '');
  const text = requestSigningText({
    method: 'PUT',
    uri: asked?.path ?? '',
    origin: OWN,
    destination: name,
    content: parseJson(asked?.body ?? ''),
  });
  return (await parsePublicKey(publicKey)?.verify(text, header?.signature ?? '')) ?? false;
}
