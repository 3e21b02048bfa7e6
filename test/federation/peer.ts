/** Another server on loopback for one test: speaks TLS, publishes its key, and remembers what was asked of it. */
import { onTestFinished } from 'vitest';
import { FederationClient, type FederationClientOptions } from '../../src/federation/federation-client.js';
import { publishedKeys } from '../../src/federation/server-keys.js';
import { signingKeyFromSeed, type SigningKey } from '../../src/federation/signing-key.js';
import { systemResolver } from '../../src/federation/system-resolver.js';
import { systemClock } from '../../src/clock.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { plainValue } from '../../src/wire/json.js';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';
import { json, startLoopbackServer, type LoopbackServer, type Respond } from '../http/loopback-server.js';

export interface Peer extends LoopbackServer {
  readonly name: ServerName;
  readonly key: SigningKey;
}

/**
 * Starts a peer that answers transactions with `{"pdus":{}}`, or as `respond` does; unless it publishes no keys, it
 * answers for these itself.
 */
export async function startPeer(respond: Respond = receive, publishes = true): Promise<Peer> {
  const key = keyOf('peer', 7);
  const server = await startLoopbackServer(
    (asked, response, index) => {
      if (!publishes || asked.path !== '/_matrix/key/v2/server') respond(asked, response, index);
      else json(response, 200, plainValue(publishedKeys({ serverName: name, keys: [key] }, Date.now())));
    },
    { cert: GOOD, key: KEY },
  );
  const name = parseServerName(`127.0.0.1:${String(server.port)}`);
  return { ...server, name, key };
}

/** A client for peers: it reaches loopback and trusts their certificate. */
export function openClient(options: Partial<FederationClientOptions> = {}): FederationClient {
  const transport = openTransport({ trusted: parseCertificates(AUTHORITY) });
  onTestFinished(() => transport.close());
  return new FederationClient({
    transport,
    resolver: systemResolver(),
    clock: systemClock,
    chance: { fraction: () => 0 },
    reach: 'loopback',
    ...options,
  });
}

/** A key that is the same in each run. */
export function keyOf(version: string, byte: number): SigningKey {
  return signingKeyFromSeed(version, new Uint8Array(32).fill(byte));
}

const receive: Respond = (_asked, response) => json(response, 200, { pdus: {} });
