/** As much of a NATS server as the tests need that must run without one: requests, queue groups, and no more. */
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface NatsBroker {
  readonly port: number;
  /** Drops every connection and takes no new ones, until `open`. */
  close(): Promise<void>;
  open(): Promise<void>;
  /** Subjects that nobody may subscribe to. */
  readonly forbidden: Set<string>;
  /** Resolves when so many have subscribed to a subject. */
  subscribed(subject: string, count: number): Promise<void>;
}

interface Subscription {
  readonly socket: Socket;
  readonly id: string;
  readonly subject: string;
  readonly queue: string | undefined;
}

interface Published {
  readonly subject: string;
  readonly reply: string | undefined;
  readonly headerBytes: number | undefined;
  readonly payload: Buffer;
}

/** Starts a broker on a free port, which goes with the test. Members of a queue group take turns. */
export async function startNatsBroker(): Promise<NatsBroker> {
  const broker = new Broker();
  await broker.open();
  onTestFinished(() => broker.close());
  return broker;
}

class Broker implements NatsBroker {
  port = 0;
  readonly forbidden = new Set<string>();
  #subscriptions: Subscription[] = [];
  readonly #sockets = new Set<Socket>();
  #server = createServer();
  #watchers: (() => void)[] = [];

  async open(): Promise<void> {
    this.#server = createServer((socket) => this.#serve(socket));
    await new Promise<void>((resolve) => this.#server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async subscribed(subject: string, count: number): Promise<void> {
    while (this.#subscriptions.filter((each) => each.subject === subject).length < count) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#subscriptions = this.#subscriptions.filter((each) => each.socket !== socket);
    });
    socket.write(`INFO ${JSON.stringify(INFO)}\r\n`);
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (;;) {
        const end = received.indexOf('\r\n');
        if (end < 0) return;
        const words = received.toString('latin1', 0, end).split(' ');
        const isPublication = words[0] === 'PUB' || words[0] === 'HPUB';
        const byteCount = isPublication ? Number(words.at(-1)) + 2 : 0;
        if (received.length < end + 2 + byteCount) return;
        const payload = received.subarray(end + 2, Math.max(end + 2, end + byteCount));
        received = received.subarray(end + 2 + byteCount);
        this.#obey(socket, words, payload);
      }
    });
  }

  #obey(socket: Socket, [verb, ...words]: readonly string[], payload: Buffer): void {
    if (verb === 'PING') socket.write('PONG\r\n');
    if (verb === 'UNSUB') {
      const isIt = (each: Subscription) => each.socket === socket && each.id === words[0];
      this.#subscriptions = this.#subscriptions.filter((each) => !isIt(each));
    }
    if (verb === 'SUB') {
      const [subject = '', queue] = words;
      const id = words.at(-1) ?? '';
      if (this.forbidden.has(subject)) {
        socket.write(
          `-ERR 'Permissions Violation for Subscription to "${subject}" using queue "${queue ?? ''}"'\r\n`,
        );
        return;
      }
      this.#subscriptions.push({ socket, id, subject, queue: words.length > 2 ? queue : undefined });
      for (const wake of this.#watchers.splice(0)) wake();
    }
    if (verb === 'PUB') {
      const reply = words.length > 2 ? words[1] : undefined;
      this.#publish({ subject: words[0] ?? '', reply, headerBytes: undefined, payload });
    }
    if (verb === 'HPUB') {
      const reply = words.length > 3 ? words[1] : undefined;
      this.#publish({ subject: words[0] ?? '', reply, headerBytes: Number(words.at(-2)), payload });
    }
  }

  #publish(published: Published): void {
    const { subject, reply } = published;
    const taken = new Set<string>();
    const takers = this.#subscriptions.filter((each) => {
      if (!matches(each.subject, subject) || (each.queue !== undefined && taken.has(each.queue)))
        return false;
      if (each.queue !== undefined) taken.add(each.queue);
      return true;
    });
    for (const taker of takers) deliver(taker, published);
    // whoever has had its turn is the last of its group
    const isDone = new Set(takers.filter(({ queue }) => queue !== undefined));
    this.#subscriptions = [...this.#subscriptions.filter((each) => !isDone.has(each)), ...isDone];
    if (takers.length > 0 || reply === undefined) return;
    this.#publish({ subject: reply, reply: undefined, headerBytes: NOBODY.length, payload: NOBODY });
  }
}

function deliver({ socket, id }: Subscription, { subject, reply, headerBytes, payload }: Published): void {
  const words = [
    ...[headerBytes === undefined ? 'MSG' : 'HMSG', subject, id],
    ...(reply === undefined ? [] : [reply]),
    ...(headerBytes === undefined ? [] : [headerBytes]),
    payload.length,
  ];
  socket.write(Buffer.concat([Buffer.from(`${words.join(' ')}\r\n`), payload, Buffer.from('\r\n')]));
}

/** `*` stands for one part of a subject. */
function matches(pattern: string, subject: string): boolean {
  const parts = subject.split('.');
  const wanted = pattern.split('.');
  return wanted.length === parts.length && wanted.every((part, n) => part === '*' || part === parts[n]);
}

const INFO = {
  server_id: 'BROKER',
  server_name: 'broker',
  version: '2.10.29',
  proto: 1,
  headers: true,
  max_payload: 1_048_576,
};
/** What a server says in place of a reply when nobody has subscribed. */
const NOBODY = Buffer.from('NATS/1.0 503\r\n\r\n');
