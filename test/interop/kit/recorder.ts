/** A proxy in front of a server that keeps a record of what really goes over the wire. */
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { GOOD, KEY } from '../../http/certificates.js';

/** A request and its answer, as they were on the wire. */
export interface Exchange {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly requestHeaders: IncomingMessage['headers'];
  readonly requestBody: string;
  readonly status: number;
  readonly responseBody: string;
}

export interface Recorder {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  /** Says where the server is, `https://127.0.0.1:8448`; its certificate is not checked. */
  forwardTo(url: string): void;
  /** The first exchange, of those there were and those to come, that `isWanted`. Rejects when none comes for long. */
  exchange(isWanted: (exchange: Exchange) => boolean): Promise<Exchange>;
  stop(): Promise<void>;
}

/** Starts a recorder; with `tls` it shows the certificate of the test authority. */
export async function startRecorder({ tls, port = 0 }: { tls: boolean; port?: number }): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const waiting: (() => void)[] = [];
  let target: URL | undefined;
  const onRequest = (asked: IncomingMessage, response: ServerResponse): void => {
    forward(asked, response, target).then(
      (exchange) => {
        exchanges.push(exchange);
        for (const wake of waiting.splice(0)) wake();
      },
      () => response.destroy(), // whoever is told nothing tries again
    );
  };
  const server = tls ? createTlsServer({ cert: GOOD, key: KEY }, onRequest) : createServer(onRequest);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    forwardTo: (url) => {
      target = new URL(url);
    },
    exchange: async (isWanted) => {
      const patience = AbortSignal.timeout(PATIENCE_MS);
      for (let next = 0; ;) {
        const found = exchanges.slice(next).find(isWanted);
        if (found !== undefined) return found;
        next = exchanges.length;
        await new Promise<void>((resolve, reject) => {
          waiting.push(resolve);
          patience.addEventListener('abort', () => reject(new Error('what is waited for does not pass')));
        });
      }
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function forward(
  asked: IncomingMessage,
  response: ServerResponse,
  target: URL | undefined,
): Promise<Exchange> {
  const requestBody = await textOf(asked);
  if (target === undefined) throw new Error('nowhere to forward to');
  const { method = '', url = '', headers, rawHeaders } = asked;
  const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
  const sent = send({
    host: target.hostname,
    port: target.port,
    method,
    path: url,
    headers: rawHeaders,
    rejectUnauthorized: false,
  });
  response.once('close', () => sent.destroy()); // whoever hangs up hangs up here, too
  sent.end(requestBody);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  const responseBody = await textOf(answer);
  const status = answer.statusCode ?? 0;
  const contentType = answer.headers['content-type'] ?? 'application/json';
  response.writeHead(status, { 'content-type': contentType }).end(responseBody);
  return { method, target: url, requestHeaders: headers, requestBody, status, responseBody };
}

async function textOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

const PATIENCE_MS = 30_000;
