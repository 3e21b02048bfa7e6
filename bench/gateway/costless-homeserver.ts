/** A homeserver that costs next to nothing: whatever holds up a gateway at it is the gateway. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CostlessHomeserver {
  readonly url: string;
  readonly serverName: string;
  /** How many events a second the gateway answers, from the first that it reads to the last answer. */
  readonly answeredPerSecond: Promise<number>;
  stop(): Promise<void>;
}

/** Starts one whose server user has `count` events waiting, of 50 users. */
export async function startCostlessHomeserver(count: number): Promise<CostlessHomeserver> {
  let startMs = 0;
  let answered = 0;
  let finish: (perSecond: number) => void = () => undefined;
  const answeredPerSecond = new Promise<number>((resolve) => (finish = resolve));

  const sync = (since: string | null, response: ServerResponse): void => {
    if (since === null) return send(response, { next_batch: 's0' });
    if (startMs === 0) startMs = performance.now();
    const first = Number(since.slice(1));
    const events = Array.from({ length: Math.min(BATCH, count - first) }, (_, n) => eventOf(first + n));
    if (events.length === 0) return; // nothing more comes
    send(response, { next_batch: `s${String(first + events.length)}`, to_device: { events } });
  };
  const respond = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
    const { pathname, searchParams } = new URL(url, 'http://homeserver.test');
    if (pathname.endsWith('/sync')) return sync(searchParams.get('since'), response);
    if (pathname.endsWith('/login')) {
      return send(response, { user_id: `@:${SERVER_NAME}`, device_id: '', access_token: 'token' });
    }
    send(response, {});
    if (!pathname.includes('/sendToDevice/') || (answered += 1) < count) return;
    finish((count * 1000) / (performance.now() - startMs));
  };
  const server = createServer((request, response) => {
    request.resume().once('end', () => respond(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    serverName: SERVER_NAME,
    answeredPerSecond,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function eventOf(n: number): unknown {
  const sender = `@user${String(n % 50)}:${SERVER_NAME}`;
  return { sender, type: 'org.example.bench', content: { n, device_id: 'DEVICE' } };
}

function send(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

const SERVER_NAME = 'example.org';
/** As many as Synapse gives at once. */
const BATCH = 100;
