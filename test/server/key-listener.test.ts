import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { verifyServerKeys } from '../../src/federation/server-keys.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { startKeyListener, type KeyListenerOptions } from '../../src/server/key-listener.js';
import { parseJson } from '../../src/wire/json.js';
import { keyOf } from '../federation/peer.js';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';

const NOW_MS = 1_700_000_000_000;
const SERVER = parseServerName('example.org');
const IDENTITY = { serverName: SERVER, keys: [keyOf('a_1', 1), keyOf('a_2', 2)] as const };

async function start(options: Partial<KeyListenerOptions> = {}) {
  const listener = await startKeyListener({
    identity: IDENTITY,
    host: '127.0.0.1',
    port: 0,
    certificate: { cert: GOOD, key: KEY },
    clock: { now: () => NOW_MS },
    ...options,
  });
  onTestFinished(() => listener.close());
  return listener;
}

/** A client that trusts the certificate above, or none that Node does not. */
function client(trustedPem: string | undefined) {
  const trusted = trustedPem === undefined ? undefined : parseCertificates(trustedPem);
  const transport = openTransport({ trusted });
  onTestFinished(() => transport.close());
  return (url: string, method: 'GET' | 'PUT' = 'GET') => transport.exchange({ method, url });
}

describe('the key listener', () => {
  it.each(['https', 'http'])('gives out the keys over %s', async (scheme) => {
    const listener = await start();
    const ask = client(AUTHORITY);
    for (const path of ['server', 'server/ed25519:a_1', 'server?x=1']) {
      const { status, headers, body } = await ask(`${scheme}://${listener.authority}/_matrix/key/v2/${path}`);
      expect([status, headers['content-type']]).toEqual([200, 'application/json']);
      const keys = await verifyServerKeys(parseJson(body), SERVER, NOW_MS);
      expect('fault' in keys ? keys.fault : [...keys.verifyKeys.keys()]).toEqual([
        'ed25519:a_1',
        'ed25519:a_2',
      ]);
    }
    expect(listener.timesAsked).toBe(3);
  });

  it('gives out nothing else', async () => {
    const listener = await start();
    const ask = client(undefined);
    const url = `http://${listener.authority}`;
    for (const path of [
      '/',
      '/_matrix/key/v2',
      '/_matrix/key/v2/server/a/b',
      '/_matrix/federation/v1/version',
    ]) {
      expect(await ask(`${url}${path}`)).toMatchObject({
        status: 404,
        body: expect.stringContaining('M_UNRECOGNIZED'),
      });
    }
    expect(await ask(`${url}/_matrix/key/v2/server`, 'PUT')).toMatchObject({ status: 405 });
    expect(listener.timesAsked).toBe(0);
  });

  it('makes a certificate of its own, and notices who does not take it', async () => {
    const listener = await start({ certificate: undefined });
    await expect(client(undefined)(`https://${listener.authority}/_matrix/key/v2/server`)).rejects.toThrow(
      'it is self-signed',
    );
    expect(listener).toMatchObject({ tlsVisits: 1, timesAsked: 0 });
  });

  it('ends also while somebody holds a connection', async () => {
    const listener = await start();
    const socket = connect(Number(listener.authority.split(':')[1]), '127.0.0.1');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('connect', resolve));
    await listener.close();
    await closed;
  });

  it('says when the port is taken, or the certificate no good', async () => {
    const { authority } = await start();
    await expect(start({ port: Number(authority.split(':')[1]) })).rejects.toThrow(
      `cannot listen on ${authority}: the port is taken`,
    );
    for (const certificate of [
      { cert: 'none', key: KEY },
      { cert: '', key: KEY },
      { cert: GOOD, key: '' },
    ]) {
      await expect(start({ certificate })).rejects.toThrow('certificate cannot be used');
    }
  });
});
