/** Connects: to a server, or through a proxy to a server, with or without TLS. */
import type { EventEmitter } from 'node:events';
import { request as startRequest, type IncomingMessage } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import type { TrustedRoots } from './certificates.js';

/** Where a connection leads. */
export interface Peer {
  /** The same for all connections that can stand in for each other, and for no others. */
  readonly key: string;
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The host that the certificate has to be made out to; undefined for a connection without TLS. */
  readonly certifiedFor: string | undefined;
  /** What leads there. */
  readonly tunnel?: Tunnel | undefined;
}

export interface Tunnel {
  readonly proxy: Peer;
  /** As the header is to say it. */
  readonly authorization: string | undefined;
}

/** Which certificates are trusted. */
export interface Trust {
  /** Any at all? */
  readonly insecure?: boolean | undefined;
  /** In place of the default roots. */
  readonly trusted?: TrustedRoots | undefined;
}

/** The proxy answered, and not with what was asked of it. */
export class ProxyRefusal extends Error {
  override readonly name = 'ProxyRefusal';

  constructor(status: number) {
    super(`it answered with ${String(status)}`);
  }
}

/** The connection ended too early; the code is the one that Node has for it. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
  readonly code = 'ECONNRESET';

  constructor() {
    super('the connection ended before the answer was complete');
  }
}

/**
 * Gives a socket that is ready for HTTP.
 * @throws what Node says of the network and of certificates; ProxyRefusal; the signal's reason
 */
export async function openSocket(
  { host, port, certifiedFor, tunnel }: Peer,
  trust: Trust,
  signal: AbortSignal,
): Promise<Socket> {
  const plain =
    tunnel === undefined
      ? await whenReady(connect({ host, port, ...SOCKET_OPTIONS }), 'connect', signal)
      : await openTunnel(
          await openSocket(tunnel.proxy, trust, signal),
          authority(host, port),
          tunnel,
          signal,
        );
  if (certifiedFor === undefined) return plain;

  const { insecure, trusted } = trust;
  const tls = await import('node:tls'); // few need it at once
  const secure = tls.connect({
    socket: plain,
    rejectUnauthorized: insecure !== true,
    ...(trusted && { secureContext: trusted() }),
    ALPNProtocols: ['http/1.1'],
    servername: isIP(certifiedFor) === 0 ? certifiedFor : '', // RFC 6066 section 3: never an address
    checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(certifiedFor, certificate),
  });
  return whenReady(secure, 'secureConnect', signal);
}

/** RFC 9110 section 9.3.6. */
async function openTunnel(
  socket: Socket,
  target: string,
  { authorization }: Tunnel,
  signal: AbortSignal,
): Promise<Socket> {
  const request = startRequest({
    method: 'CONNECT',
    path: target,
    headers: ['host', target, ...(authorization === undefined ? [] : ['proxy-authorization', authorization])],
    createConnection: () => socket,
    insecureHTTPParser: false,
  });
  let status = 0;
  request.on('connect', ({ statusCode = 0 }: IncomingMessage) => (status = statusCode));
  request.end();
  await whenReady(socket, 'connect', signal, request);
  if (status < 300) return socket;
  socket.destroy();
  throw new ProxyRefusal(status);
}

/** Waits for `event` of `source`. If something else comes first, the socket is gone. */
function whenReady(
  socket: Socket,
  event: string,
  signal: AbortSignal,
  source: EventEmitter = socket,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      source.off(event, onReady).off('error', onError);
      socket.off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      finish();
    };
    const onReady = (): void => settle(() => resolve(socket));
    const onError = (error: Error): void => settle(() => reject(error));
    const onClose = (): void => settle(() => reject(new CutOffError()));
    const onAbort = (): void => {
      settle(() => reject(signal.reason as Error));
      socket.destroy();
    };
    source.on(event, onReady).on('error', onError);
    source.on('error', () => undefined); // one that comes later has been told already, by what was under way
    socket.on('close', onClose);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

function authority(host: string, port: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${String(port)}`;
}

/** A request is one write; and what is silent for a minute is asked by the kernel whether it is still there. */
const SOCKET_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
