/**
 * Handlers of the gateway that scale out behind a queue group on a real NATS server: services of a deployment's own,
 * and processes of `mx2s gateway --nats-queue`.
 */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json as jsonOf } from 'node:stream/consumers';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Msg } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { StubHomeserver } from '../gateway/homeserver.js';
import { startBinary, type RunningBinary } from '../kit/binary.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { startNatsServer, startService } from './kit/nats.js';
import type { NatsServer } from './kit/nats-server.js';

const program = inject('nats');
const ALICE = '@alice:example.org';
const COUNT = 100;
const ALL = Array.from({ length: COUNT }, (_, n) => n);

describe.runIf(!('missing' in program))('mx2s gateway and a queue group', () => {
  let home: TempDir;
  let started: RunningBinary[];
  beforeEach(async () => {
    home = await makeTempDir();
    started = [];
  });
  afterEach(async () => {
    for (const each of started) await each.stop();
    await home.remove();
  });

  const start = async (name: string, ...flags: readonly string[]) => {
    const running = startBinary(['gateway', ...flags], { home: home.path });
    started.push(running);
    await Promise.race([
      running.lineOf('stdout', /"ready":true/),
      running.result.then(({ stderr }) => Promise.reject(new Error(`${name} ended: ${stderr}`))),
    ]);
    return running;
  };

  /** The gateway that reads the device, at a homeserver with this many messages to it. */
  const startReader = async (nats: NatsServer, ...flags: readonly string[]) => {
    const stub = await StubHomeserver.start();
    const registration = join(home.path, 'mx2s.yaml');
    const place = { homeserver: stub.url, server_name: stub.serverName };
    await writeFile(registration, JSON.stringify({ as_token: stub.asToken, 'mx2s.gateway': place }));
    stub.push(
      ...Array.from({ length: COUNT }, (_, n) => ({ sender: ALICE, type: 'org.example.a', content: { n } })),
    );
    const handOver = ['--on', `*=nats://${nats.address}/matrix`, '--handler-timeout', '2s'];
    const reader = await start('the reader', '--registration', registration, ...handOver, ...flags);
    return { stub, reader };
  };

  const startMember = (nats: NatsServer, handler: string) =>
    start(
      'a member',
      ...['--server-name', 'example.org', '--nats-queue', 'workers'],
      ...['--on', `*=nats://${nats.address}/matrix`, '--on', `*=${handler}`],
    );

  it('shares the messages among services, and loses none when one of them dies', async () => {
    const nats = await startNatsServer(program);
    const taken: number[][] = [[], []];
    const services = await Promise.all(
      taken.map((list, index) =>
        startService(
          nats,
          'matrix',
          (message) => {
            const { content } = message.json<{ content: { n: number } }>();
            list.push(content.n);
            // the first dies with its twentieth message in hand
            if (index === 0 && list.length === 20) void services[0]?.kill();
            else if (index !== 0 || list.length < 20) message.respond(JSON.stringify({ content }));
          },
          { queue: 'workers' },
        ),
      ),
    );
    const { stub } = await startReader(nats, '--nats-queue', 'workers');
    await stub.until(() => stub.acknowledged === COUNT);
    expect(answered(stub)).toEqual(ALL);

    const [first = [], second = []] = taken;
    const again = first.filter((n) => second.includes(n));
    expect(again).toContain(first[19]);
    // no more than the gateway had handed out when the connection went down, whose replies may have gone down with it
    expect(again.length).toBeLessThanOrEqual(16);
    expect(new Set([...first, ...second]).size).toBe(first.length + second.length - again.length);
  });

  it('shares the messages among services, each to one', async () => {
    const nats = await startNatsServer(program);
    const taken: number[][] = [[], []];
    for (const list of taken) {
      const answer = (message: Msg): void => {
        const { content } = message.json<{ content: { n: number } }>();
        list.push(content.n);
        message.respond(JSON.stringify({ content }));
      };
      await startService(nats, 'matrix', answer, { queue: 'workers' });
    }
    const { stub } = await startReader(nats, '--nats-queue', 'workers');
    await stub.until(() => stub.acknowledged === COUNT);
    expect(answered(stub)).toEqual(ALL);
    for (const list of taken) expect(list.length).toBeGreaterThan(COUNT / 10);
    expect(taken.flat().sort((a, b) => a - b)).toEqual(ALL);
  });

  it('shares the messages among processes of mx2s', async () => {
    const nats = await startNatsServer(program);
    const members = [await startMember(nats, 'echo'), await startMember(nats, 'echo')];
    const { stub, reader } = await startReader(nats);
    await stub.until(() => stub.acknowledged === COUNT);
    expect(answered(stub)).toEqual(ALL);

    const handled: number[] = [];
    for (const member of members) {
      const numbers = await endAndRead(member);
      expect(numbers.length).toBeGreaterThan(COUNT / 10);
      handled.push(...numbers);
    }
    expect(handled.sort((a, b) => a - b)).toEqual(ALL);
    expect((await endAndRead(reader)).length).toBe(COUNT);
  });

  it('loses none when one of the processes is killed (SIGKILL) with messages in hand', async () => {
    const nats = await startNatsServer(program);
    const desk = await startDesk();
    const [first] = [
      await startMember(nats, `${desk.url}/first`),
      await startMember(nats, `${desk.url}/second`),
    ];
    const { stub } = await startReader(nats);
    await desk.until(() => desk.waiting('/first').length > 0 && desk.waiting('/second').length > 0);
    const lost = desk.waiting('/first');
    first.kill('SIGKILL');
    await first.result;
    desk.answer();
    await stub.until(() => stub.acknowledged === COUNT);
    expect(answered(stub)).toEqual(ALL);
    expect(desk.taken('/second')).toEqual(expect.arrayContaining(lost));
  });

  it('works through a restart of NATS, without a try to use up', async () => {
    const nats = await startNatsServer(program);
    const member = await startMember(nats, 'echo');
    await nats.kill();
    const { stub } = await startReader(nats, '--handler-retries', '0');
    await member.lineOf('stderr', /out of the queue group workers/);
    await nats.restart();
    await member.lineOf('stderr', /back in the queue group workers/);
    await stub.until(() => stub.acknowledged === COUNT);
    expect(answered(stub)).toEqual(ALL);
  });
});

/** The numbers that alice had answers to, in order; each as often as it was answered. */
function answered({ sent }: StubHomeserver): number[] {
  return sent
    .map(
      ({ messages }) => (messages as Record<string, Record<string, { n: number }>>)[ALICE]?.['*']?.n ?? NaN,
    )
    .sort((a, b) => a - b);
}

/** Ends it as a user would, and gives the numbers of the messages that it says it handled. */
async function endAndRead(running: RunningBinary): Promise<number[]> {
  running.kill('SIGTERM');
  const { stdout, code } = await running.result;
  expect(code).toBe(0);
  return [...stdout.matchAll(/"direction":"in".*"outcome":"handled","content":\{"n":(\d+)\}/g)].map(([, n]) =>
    Number(n),
  );
}

/** A web service that lets all wait until it is told to answer, and from then on answers at once. */
async function startDesk() {
  const calls: { readonly path: string; readonly n: number; answer?: (() => void) | undefined }[] = [];
  const watchers: (() => void)[] = [];
  let isOpen = false;
  const server = createServer((request, response: ServerResponse) => {
    void jsonOf(request).then((message) => {
      const { content } = message as { content: { n: number } };
      const answer = (): void => void response.end(JSON.stringify({ content }));
      calls.push({ path: request.url ?? '', n: content.n, answer: isOpen ? undefined : answer });
      if (isOpen) answer();
      for (const wake of watchers.splice(0)) wake();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const taken = (path: string) => calls.filter((call) => call.path === path);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    taken: (path: string) => taken(path).map(({ n }) => n),
    waiting: (path: string) =>
      taken(path)
        .filter(({ answer }) => answer !== undefined)
        .map(({ n }) => n),
    answer: () => {
      isOpen = true;
      for (const call of calls) call.answer?.();
    },
    until: async (isSo: () => boolean) => {
      while (!isSo()) await new Promise<void>((resolve) => watchers.push(resolve));
    },
  };
}
