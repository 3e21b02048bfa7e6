import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { openTls } from '../../src/server/tls.js';
import { GOOD, KEY } from '../http/certificates.js';

it.each([
  ['is no handshake', Buffer.from('\x16\x03\x01\x00\x05hello', 'latin1'), 60_000],
  ['does not come to its end', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]), 50],
])('ends a connection whose handshake %s', async (_what, sent, handshakeTimeoutMs) => {
  const identity = { certificate: { cert: GOOD, key: KEY }, host: '127.0.0.1', serverName: undefined };
  const tls = await openTls(identity, handshakeTimeoutMs);
  const front = createServer((socket) => tls.emit('connection', socket)).listen(0, '127.0.0.1');
  onTestFinished(() => void front.close());
  await once(front, 'listening');
  const client = connect((front.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  client.resume().write(sent);
  await once(client, 'close');
  expect(client.destroyed).toBe(true);
});
