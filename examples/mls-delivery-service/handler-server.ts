/** The web service that `mx2s serve --on 'org.matrix.msc4244.mls.*=http://…'` hands messages to. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { DeliveryService, HandlerInput } from './delivery-service.js';

export interface HandlerServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves on loopback: whoever reaches it can pretend to be any user. */
export async function startHandlerServer(service: Pick<DeliveryService, 'receive'>): Promise<HandlerServer> {
  const server = createServer((request, response) => {
    json(request)
      .then((input) => JSON.stringify({ messages: service.receive(input as HandlerInput) }))
      .then(
        (body) => response.setHeader('content-type', 'application/json').end(body),
        () => response.writeHead(500).end(),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
