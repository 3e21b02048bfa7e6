/**
 * A socket for other servers that speaks TLS and plain HTTP: they come over TLS; a proxy that does TLS for us comes
 * without.
 */
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type Socket } from 'node:net';
import type { ServerName } from '../ids/server-name.js';
import type { Certificate } from './certificate.js';
import { KEEP_ALIVE_MS, listen } from './socket.js';
import { openTls } from './tls.js';

export interface DualListener {
  /** `HOST:PORT`, with the port that it became. */
  readonly authority: string;
  /** How often somebody came over TLS. Who does not like the certificate leaves without a question. */
  readonly tlsVisits: number;
  /** Ends every connection. */
  close(): Promise<void>;
}

export interface DualListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Default: one that is made, and that nobody has signed. */
  readonly certificate?: Certificate | undefined;
  /** For the certificate that is made; where it listens stands in it in any case. */
  readonly serverName?: ServerName | undefined;
  readonly answer: RequestListener;
}

/**
 * Starts to listen.
 * @throws UsageError when it cannot listen there, InvalidInputError when the certificate cannot be used
 */
export async function startDualListener(options: DualListenerOptions): Promise<DualListener> {
  const { host, port, certificate, serverName, answer } = options;
  let tlsVisits = 0;
  const plain = createHttpServer(answer);
  plain.keepAliveTimeout = KEEP_ALIVE_MS;
  const tls = await openTls({ certificate, host, serverName });
  tls.on('secureConnection', (socket) => plain.emit('connection', socket));

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

/** The first byte of a TLS connection (RFC 8446, section 5.1). */
const TLS_HANDSHAKE = 22;
