/** Members of a queue group on NATS, each a process of `mx2s gateway --nats-queue`, with a handler that takes its time. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { startBinary } from '../../kit/binary.js';

export interface QueueMembersOptions {
  /** How many. */
  readonly members: number;
  /** `nats://HOST:PORT/SUBJECT` */
  readonly url: string;
  readonly serverName: string;
  /** How long a member works on a message, before it takes the next. */
  readonly workMs: number;
  /** The folder where what they keep is kept. */
  readonly home: string;
}

export interface QueueMembers {
  /** How many messages each has answered: with the content it got. */
  readonly answered: readonly number[];
  stop(): Promise<void>;
}

export async function startQueueMembers(options: QueueMembersOptions): Promise<QueueMembers> {
  const { members, url, serverName, workMs, home } = options;
  const answered = Array.from({ length: members }, () => 0);
  const handle = async (asked: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { content } = JSON.parse(await text(asked)) as { content: unknown };
    await wait(workMs);
    const member = Number(asked.url?.slice(1));
    answered[member] = (answered[member] ?? 0) + 1;
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ content }));
  };
  const handlers = createServer((asked, response) => void handle(asked, response));
  handlers.listen(0, '127.0.0.1');
  await once(handlers, 'listening');
  const { port } = handlers.address() as AddressInfo;
  const running = answered.map((_, member) => {
    const queue = ['--server-name', serverName, '--nats-queue', 'handlers', '--handler-concurrency', '1'];
    const rules = [url, `http://127.0.0.1:${String(port)}/${String(member)}`];
    const on = rules.flatMap((rule) => ['--on', `org.example.*=${rule}`]);
    return startBinary(['gateway', ...queue, ...on], { home });
  });
  const stop = async () => {
    for (const each of running) await each.stop();
    handlers.close();
    handlers.closeAllConnections();
    await once(handlers, 'close');
  };
  try {
    for (const each of running) await each.lineOf('stdout', /"ready":true/);
  } catch (error) {
    await stop();
    throw error;
  }
  return { answered, stop };
}
