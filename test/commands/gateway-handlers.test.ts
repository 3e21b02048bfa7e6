/** The handlers outside the process, as the gateway calls them: what they answer, and what becomes of those that fail. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openNats, type NatsReply } from '../../src/subsystems/nats-connections.js';
import type { NatsService } from '../../src/subsystems/nats.js';
import { startNatsBroker } from '../kit/nats-broker.js';
import { end, eventOf, healthOf, metricsOf, openStage, statusOf } from './gateway-kit.js';

const ALICE = '@alice:example.org';
const HANDED = '{"sender":"@alice:example.org","type":"org.example.a","content":{"n":1},"via":"client"}';

/** A handler, how often it was called, and with what. */
interface Outside {
  /** As after `--on GLOB=`. */
  readonly handler: string;
  readonly calls: readonly string[];
}

/** Each kind outside the process, made to fail so many times and then to answer. */
const KINDS: readonly [string, (failures: number) => Promise<Outside>][] = [
  [
    'http://',
    async (failures) => {
      const calls: string[] = [];
      const url = await startService((request, response) => {
        void text(request).then((body) => {
          calls.push(body);
          if (calls.length <= failures) response.writeHead(500).end();
          else response.end(ANSWER);
        });
      });
      return { handler: url, calls };
    },
  ],
  [
    'nats://',
    async (failures) => {
      const calls: string[] = [];
      const url = await startResponder(async (body) => {
        calls.push(body);
        return calls.length <= failures ? { text: '', fault: 'no luck' } : { text: ANSWER };
      });
      return { handler: url, calls };
    },
  ],
  [
    'exec:',
    async (failures) => {
      // the command tells a service what it read, which says how to go on
      const calls: string[] = [];
      const url = await startService((request, response) => {
        void text(request).then((body) => {
          calls.push(body.trimEnd());
          response.writeHead(calls.length <= failures ? 500 : 200).end(ANSWER);
        });
      });
      return { handler: `exec:exec node -e '${RELAY}' ${url}`, calls };
    },
  ],
];
const ANSWER = '{"type":"org.example.b","content":{"n":123456789012345678901}}';
const RELAY = `
  const body = require("fs").readFileSync(0, "utf8");
  fetch(process.argv[1], { method: "POST", body }).then(async (answer) => {
    if (answer.ok) process.stdout.write(await answer.text());
    else process.exitCode = 1;
  });`.replace(/\s+/g, ' ');

describe.each(KINDS)('a handler %s', (_kind, open) => {
  it('is handed one line, and its answer is sent, to the last digit', async () => {
    const { handler, calls } = await open(0);
    const { stub, start } = await openStage();
    stub.push(eventOf(ALICE, { n: 1 }));
    const running = start('--on', `org.example.*=${handler}`);
    const log = await running.stdout.until(/"direction":"out"/);
    expect(calls).toEqual([HANDED]);
    expect(log).toContain('"type":"org.example.b","via":"client","outcome":"handled"');
    expect(log).toContain('"content":{"n":123456789012345678901}');
    expect(stub.sent).toMatchObject([{ type: 'org.example.b' }]);
    await end(running);
  });

  it('is called again when it fails', async () => {
    const { handler, calls } = await open(1);
    const { stub, start } = await openStage();
    stub.push(eventOf(ALICE, { n: 1 }));
    const running = start('--on', `org.example.*=${handler}`, '--health-port', '0');
    await running.stdout.until(/"direction":"out"/);
    expect(calls).toEqual([HANDED, HANDED]);
    expect(await metricsOf(await healthOf(running))).toMatchObject({
      handler_retries_total: 1,
      'events_total{outcome="handled"}': 1,
      'events_total{outcome="failed"}': 0,
    });
    await end(running);
  });

  it('that fails past its budget is skipped and counted, and holds up no other', async () => {
    const { handler, calls } = await open(Infinity);
    const { stub, start } = await openStage();
    stub.push(eventOf(ALICE, { n: 1 }), { ...eventOf(ALICE, { n: 2 }), type: 'org.other' });
    const running = start(
      ...['--on', `org.example.*=${handler}`, '--on', 'org.other=echo'],
      ...['--handler-retries', '1', '--health-port', '0'],
    );
    const health = await healthOf(running);
    await stub.until(() => stub.acknowledged === 2);
    expect(calls).toEqual([HANDED, HANDED]);
    expect(stub.sent).toMatchObject([{ type: 'org.other' }]);
    expect(await metricsOf(health)).toMatchObject({
      handler_retries_total: 1,
      'events_total{outcome="handled"}': 1,
      'events_total{outcome="failed"}': 1,
      'answers_total{outcome="accepted"}': 1,
      waiting_events: 0,
    });
    expect(running.stderr.text).toContain('the handler of org.example.a failed');
    await end(running);
  });
});

const ABSENT: readonly [string, () => Promise<Absent>, string][] = [
  ['http://', () => openAbsent('http'), 'connection refused'],
  ['nats://', () => openAbsent('nats'), 'cannot connect to NATS'],
  ['nats:// that nobody answers', openUnheard, 'no responders'],
];

describe('a handler that is not there', () => {
  it.each(ABSENT)(
    '%s is waited for without using up tries, told of once, and no message is lost',
    async (...given) => {
      const [, open, why] = given;
      const { url, appear } = await open();
      const { stub, start } = await openStage();
      stub.push(eventOf(ALICE, { n: 1 }), eventOf(ALICE, { n: 2 }));
      const running = start('--on', `*=${url}`, '--handler-retries', '0', '--health-port', '0');
      const health = await healthOf(running);
      await running.stderr.until(/a handler cannot be reached, trying again.*\n/);
      const ready = await fetch(`${health}/ready`);
      expect([ready.status, await ready.text()]).toEqual([503, `cannot be reached: ${url}\n`]);
      expect(await metricsOf(health)).toMatchObject({ unreachable_handlers: 1, waiting_events: 2 });
      await appear();
      await stub.until(() => stub.acknowledged === 2);
      expect(stub.sent).toHaveLength(2);
      expect(await statusOf(health)).toEqual({ live: 200, ready: 200 });
      expect(await metricsOf(health)).toMatchObject({
        unreachable_handlers: 0,
        handler_retries_total: 0,
        'events_total{outcome="handled"}': 2,
        'events_total{outcome="failed"}': 0,
      });
      const told = running.stderr.text;
      expect(told).toContain(why);
      expect(told.match(/cannot be reached/g)).toHaveLength(1);
      expect(told).toContain(`a handler is reached again: ${url}`);
      await end(running);
    },
  );

  it.each<[string, () => Promise<string>, string, readonly string[]]>([
    ['http://', async () => (await openAbsent('http')).url, 'connection refused', ['--handler-wait', '0s']],
    [
      'nats://',
      async () => (await openAbsent('nats')).url,
      'cannot connect to NATS',
      ['--handler-wait', '0s'],
    ],
    [
      'nats:// that nobody answers',
      async () => `nats://127.0.0.1:${(await startNatsBroker()).port}/a.b`,
      'no responders',
      ['--handler-wait', '0s'],
    ],
    ['exec:', async () => 'exec:nonesuch-command', 'the command ended with 127', []],
  ])('%s is skipped and counted where nothing waits for it', async (_kind, urlOf, why, flags) => {
    const { stub, start } = await openStage();
    stub.push(eventOf(ALICE, {}));
    const running = start(
      ...['--on', `*=${await urlOf()}`, ...flags],
      ...['--handler-retries', '1', '--health-port', '0'],
    );
    const health = await healthOf(running);
    await stub.until(() => stub.acknowledged === 1);
    expect(await metricsOf(health)).toMatchObject({ 'events_total{outcome="failed"}': 1 });
    expect(running.stderr.text).toContain(why);
    await end(running);
  });
});

describe('health during an outage', () => {
  it('is not ready while the homeserver takes no answer, says what waits, and is ready again', async () => {
    const { stub, start } = await openStage();
    const running = start('--on', '*=echo', '--health-port', '0');
    const health = await healthOf(running);
    await running.stdout.until(/"ready":true/);
    stub.outage = /sendToDevice/;
    stub.push(eventOf(ALICE, { n: 1 }));
    await stub.until(() => stub.refused === 2); // so that the first has been heard of
    expect(await statusOf(health)).toEqual({ live: 200, ready: 503 });
    expect(await metricsOf(health)).toMatchObject({
      connected: 0,
      waiting_events: 1,
      'answers_total{outcome="accepted"}': 0,
    });
    stub.outage = undefined;
    await running.stdout.until(/"direction":"out"/);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 200 });
    await stub.until(() => stub.acknowledged === 1);
    expect(await metricsOf(health)).toMatchObject({
      connected: 1,
      waiting_events: 0,
      'answers_total{outcome="accepted"}': 1,
    });
    expect((await metricsOf(health))['answer_retries_total']).toBeGreaterThanOrEqual(2);
    await end(running);
  });

  it('is not ready before the homeserver has answered for the first time', async () => {
    const { stub, start } = await openStage();
    stub.outage = /sync/;
    const running = start('--health-port', '0', '--retries', '10');
    const health = await healthOf(running);
    await stub.until(() => stub.refused === 2);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 503 });
    stub.outage = undefined;
    await running.stdout.until(/"ready":true/);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 200 });
    await end(running);
  });
});

/** A web service of the test, and its URL. */
async function startService(respond: RequestListener): Promise<string> {
  const server = createServer(respond);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A responder on NATS, and its URL. */
async function startResponder(reply: (text: string) => Promise<NatsReply>): Promise<string> {
  const { port } = await startNatsBroker();
  const nats = openNats({ timeoutMs: 1000 });
  onTestFinished(() => nats.close());
  await nats.join({ host: '127.0.0.1', port, subject: 'a.b' }, 'services', reply);
  return `nats://127.0.0.1:${port}/a.b`;
}

/** A handler that is not there yet. */
interface Absent {
  readonly url: string;
  appear(): Promise<void>;
}

/** A port at which nothing listens until the service appears. */
async function openAbsent(scheme: 'http' | 'nats'): Promise<Absent> {
  if (scheme === 'nats') {
    const broker = await startNatsBroker();
    await broker.close();
    const service = { host: '127.0.0.1', port: broker.port, subject: 'a.b' };
    return {
      url: `nats://127.0.0.1:${broker.port}/a.b`,
      appear: async () => {
        await broker.open();
        await joinEcho(service);
      },
    };
  }
  const server = createServer((request, response) => {
    void text(request).then(() => response.end(ANSWER));
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}/`, appear: () => listen(port) };
}

async function openUnheard(): Promise<Absent> {
  const { port } = await startNatsBroker();
  return {
    url: `nats://127.0.0.1:${port}/a.b`,
    appear: () => joinEcho({ host: '127.0.0.1', port, subject: 'a.b' }),
  };
}

async function joinEcho(service: NatsService): Promise<void> {
  const nats = openNats({ timeoutMs: 1000 });
  onTestFinished(() => nats.close());
  await nats.join(service, 'services', async () => ({ text: ANSWER }));
}
