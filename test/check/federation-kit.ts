/** The embedded homeserver with federation, and a second server beside it, each as the other reaches it. */
import { onTestFinished } from 'vitest';
import { systemChance } from '../../src/chance.js';
import {
  startSecondServer,
  type SecondServer,
  type SecondServerOptions,
} from '../../src/check/second-server.js';
import { systemClock } from '../../src/clock.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { startServer, type RunningServer, type ServerOptions } from '../../src/server/listen.js';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';

/** Starts a homeserver that other servers reach; it goes with the test. */
export async function startFederated(options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({
    federationPort: 0,
    certificate: { cert: GOOD, key: KEY },
    federation: { transport: openTransport({ trusted: parseCertificates(AUTHORITY) }), reach: 'loopback' },
    ...options,
  });
  onTestFinished(() => server.stop());
  return server;
}

/** Starts a second server beside `peer`; it goes with the test. */
export async function startSecond(
  peer: ServerName,
  options: Partial<SecondServerOptions> = {},
): Promise<SecondServer> {
  const second = await startSecondServer({
    peer,
    host: '127.0.0.1',
    port: 0,
    certificate: { cert: GOOD, key: KEY },
    transport: openTransport({ trusted: parseCertificates(AUTHORITY) }),
    reach: 'loopback',
    clock: systemClock,
    chance: systemChance,
    ...options,
  });
  onTestFinished(() => second.close());
  return second;
}

/** A name that leads nowhere. */
export const NOWHERE = parseServerName('nowhere.invalid');
