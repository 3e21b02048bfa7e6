/** Publishes the keys of a server that is not running here, for as long as somebody speaks as it. */
import type { RequestListener } from 'node:http';
import type { Clock } from '../clock.js';
import { publishedKeys, type Identity } from '../federation/server-keys.js';
import { encodeJson } from '../wire/json.js';
import type { Certificate } from './certificate.js';
import { startDualListener, type DualListener } from './dual-listener.js';
import { Refusal, encodeRefusal } from './refusal.js';

export interface KeyListener extends DualListener {
  /** How often the keys were given out. */
  readonly timesAsked: number;
}

export interface KeyListenerOptions {
  readonly identity: Identity;
  readonly host: string;
  readonly port: number;
  /** Default: one that is made, and that nobody has signed. */
  readonly certificate?: Certificate | undefined;
  readonly clock: Pick<Clock, 'now'>;
}

/**
 * Starts to answer `GET /_matrix/key/v2/server`, and nothing else.
 * @throws UsageError when it cannot listen there, InvalidInputError when the certificate cannot be used
 */
export async function startKeyListener(options: KeyListenerOptions): Promise<KeyListener> {
  const { identity, host, port, certificate, clock } = options;
  let timesAsked = 0;
  const answer: RequestListener = (request, response) => {
    const refusal = refusalOf(request.method, request.url);
    if (refusal === undefined) timesAsked += 1;
    const body =
      refusal === undefined ? encodeJson(publishedKeys(identity, clock.now())) : encodeRefusal(refusal);
    response
      .writeHead(refusal?.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
      .end(body);
  };
  const { serverName } = identity;
  const listener = await startDualListener({ host, port, certificate, serverName, answer });
  return {
    authority: listener.authority,
    get tlsVisits() {
      return listener.tlsVisits;
    },
    get timesAsked() {
      return timesAsked;
    },
    close: () => listener.close(),
  };
}

function refusalOf(method: string | undefined, url: string | undefined): Refusal | undefined {
  const path = (url ?? '').split('?', 1)[0] ?? '';
  if (!KEY_PATH.test(path)) return new Refusal(404, 'M_UNRECOGNIZED', 'unknown endpoint');
  if (method === 'GET') return undefined;
  return new Refusal(405, 'M_UNRECOGNIZED', 'this endpoint does not know this method');
}

/** The key ID at the end was given up by the specification, but old servers ask with it. */
const KEY_PATH = /^\/_matrix\/key\/v2\/server(?:\/[^/]*)?$/;
