/**
 * Publishes the keys of a server that is not running here, for as long as somebody speaks as it.
 *
 * One socket speaks TLS and plain HTTP: other servers ask over TLS; a proxy that does TLS for us asks without.
 */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { Clock } from '../clock.js';
import { publishedKeys, type Identity } from '../federation/server-keys.js';
import { encodeJson } from '../wire/json.js';
import type { Certificate } from './certificate.js';
import { Refusal, encodeRefusal } from './refusal.js';
import { listen } from './socket.js';
import { openTls } from './tls.js';

export interface KeyListener {
  /** `HOST:PORT`, with the port that it became. */
  readonly authority: string;
  /** How often the keys were given out. */
  readonly timesAsked: number;
  /** How often somebody came over TLS. Who does not like the certificate leaves without a question. */
  readonly tlsVisits: number;
  close(): Promise<void>;
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
  let tlsVisits = 0;
  const answer: RequestListener = (request, response) => {
    const refusal = refusalOf(request.method, request.url);
    if (refusal === undefined) timesAsked += 1;
    const body =
      refusal === undefined ? encodeJson(publishedKeys(identity, clock.now())) : encodeRefusal(refusal);
    response
      .writeHead(refusal?.status ?? 200, { 'content-type': 'application/json', connection: 'close' })
      .end(body);
  };
  const plain = createHttpServer(answer);
  const tls = await openTls(certificate, host, identity.serverName);
  tls.on('request', answer);

  const sockets = new Set<Socket>();
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // whoever it was has gone
    socket.once('data', (first: Buffer) => {
      socket.pause();
      socket.unshift(first);
      const isTls = first[0] === TLS_HANDSHAKE;
      if (isTls) tlsVisits += 1;
      (isTls ? tls : plain).emit('connection', socket);
      setImmediate(() => socket.resume());
    });
  });
  const authority = await listen(front, host, port, '--listen');
  return {
    authority,
    get timesAsked() {
      return timesAsked;
    },
    get tlsVisits() {
      return tlsVisits;
    },
    close: () =>
      new Promise((resolve) => {
        front.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
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
/** The first byte of a TLS connection (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 22;
