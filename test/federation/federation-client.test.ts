import { describe, expect, it } from 'vitest';
import { UnsentError } from '../../src/http/network-error.js';
import type { Resolver } from '../../src/federation/look-up.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { json } from '../http/loopback-server.js';
import { TurnedClock } from '../http/turned-clock.js';
import { openClient, startPeer } from './peer.js';

const REQUEST = { method: 'GET', uri: '/_matrix/federation/v1/version?x=%2F' } as const;

describe('FederationClient', () => {
  it('sends to a server by its name', async () => {
    const peer = await startPeer((_asked, response) => json(response, 200, { server: {} }));
    const answer = await openClient().send(peer.name, { ...REQUEST, authorization: 'X-Matrix x' });
    expect(answer).toMatchObject({ status: 200, body: '{"server":{}}', attempts: 1 });
    expect(peer.asked).toMatchObject([
      { method: 'GET', path: REQUEST.uri, headers: { host: peer.name, authorization: 'X-Matrix x' } },
    ]);
  });

  it('sends to localhost, at the port in the name', async () => {
    const peer = await startPeer();
    const name = parseServerName(`localhost:${String(peer.port)}`);
    await openClient().send(name, REQUEST);
    expect(peer.asked[0]?.headers.host).toBe(name);
  });

  it('connects to the target of an SRV record by the name of the server', async () => {
    const peer = await startPeer();
    const resolver = resolverOf({
      srv: (name) =>
        Promise.resolve(
          name === '_matrix-fed._tcp.localhost'
            ? [{ target: 'a.example', port: peer.port, priority: 0, weight: 0 }]
            : [],
        ),
      addresses: (host) => Promise.resolve(host === 'a.example' ? ['127.0.0.1'] : []),
    });
    await openClient({ resolver }).send(parseServerName('localhost'), REQUEST);
    expect(peer.asked[0]?.headers.host).toBe('localhost');
  });

  it('gives any answer, a redirect too', async () => {
    const peer = await startPeer((_asked, response) => {
      response.writeHead(307, { location: 'https://elsewhere.example/' }).end();
    });
    expect(await openClient().send(peer.name, REQUEST)).toMatchObject({ status: 307 });
  });

  it('does not connect to this machine unless allowed', async () => {
    const peer = await startPeer();
    const send = openClient({ reach: 'public' }).send(peer.name, REQUEST);
    await expect(send).rejects.toMatchObject({
      code: 'network',
      retryable: false,
      message: `GET https://${peer.name}/_matrix/federation/v1/version: cannot find the server ${peer.name}: 127.0.0.1 is no public address and not connected to`,
      hint: 'for tests, --federation-insecure and --federation-ca allow such addresses',
    });
    expect(peer.asked).toEqual([]);
  });

  it('names the server that has the wrong certificate', async () => {
    const peer = await startPeer();
    const resolver = resolverOf({ addresses: () => Promise.resolve(['127.0.0.1']) });
    const name = parseServerName(`a.example:${String(peer.port)}`);
    await expect(openClient({ resolver }).send(name, REQUEST)).rejects.toThrow(
      `GET https://${name}/_matrix/federation/v1/version: TLS certificate refused: it is not made out to a.example`,
    );
  });

  it('tries once, unless it has a policy', async () => {
    const peer = await startPeer((_asked, response, index) => json(response, index < 2 ? 502 : 200, {}));
    expect(await openClient().send(peer.name, REQUEST)).toMatchObject({ status: 502, attempts: 1 });
    const clock = new TurnedClock();
    const patient = openClient({ clock, policy: { retries: 5, maxWaitMs: 0 } });
    expect(await patient.send(peer.name, REQUEST)).toMatchObject({ status: 200, attempts: 2 });
  });

  it('finds the server anew for each attempt', async () => {
    const peer = await startPeer();
    const answers = [[], ['127.0.0.1']];
    const resolver = resolverOf({ addresses: () => Promise.resolve(answers.shift() ?? []) });
    const clock = new TurnedClock();
    const client = openClient({ clock, resolver, policy: { retries: 1, maxWaitMs: 0 } });
    const name = parseServerName(`localhost:${String(peer.port)}`);
    expect(await client.send(name, REQUEST)).toMatchObject({ status: 200, attempts: 2 });
  });

  it('can be called off, also during a look-up', async () => {
    const resolver = resolverOf({ addresses: () => new Promise(() => undefined) });
    const stop = new AbortController();
    const sending = openClient({ resolver }).send(parseServerName('a.example:1'), REQUEST, stop.signal);
    stop.abort(new Error('enough'));
    await expect(sending).rejects.toThrow('enough');
  });

  it('tells that nothing was sent', async () => {
    const sending = openClient({ resolver: resolverOf({}) }).send(
      parseServerName('nowhere.example'),
      REQUEST,
    );
    await expect(sending).rejects.toBeInstanceOf(UnsentError);
  });
});

/** DNS that knows nothing but what is said. */
function resolverOf(answers: Partial<Resolver>): Resolver {
  return {
    addresses: () => Promise.resolve([]),
    srv: () => Promise.resolve([]),
    isAlias: () => Promise.resolve(false),
    ...answers,
  };
}
