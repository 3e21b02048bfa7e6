import { describe, expect, it } from 'vitest';
import { startNatsBroker } from '../kit/nats-broker.js';
import type { Running } from '../kit/run-cli.js';
import { lastJson, openPlace } from './account.js';
import { end, eventOf, healthOf, metricsOf, openStage, statusOf } from './gateway-kit.js';

const ALICE = '@alice:example.org';
const MEMBER = ['gateway', '--server-name', 'example.org', '--nats-queue', 'workers'];

describe('mx2s gateway --nats-queue', () => {
  it.each([
    [['gateway', '--nats-queue', 'w', '--on', '*=echo'], /--nats-queue goes with a nats:\/\/ handler/],
    [['gateway', '--nats-queue', 'w', '--on', '*=nats://h/a', '--on', '*=echo'], /add --server-name/],
    [[...MEMBER, '--on', '*=nats://h/a'], /no nats:\/\/ rule has a handler with the same pattern below it/],
    [[...MEMBER, '--on', '*=echo', '--on', '*=nats://h/a'], /no nats:\/\/ rule has a handler/],
    [[...MEMBER, '--nats-queue', 'two words', '--on', '*=nats://h/a'], /no name of a queue group/],
    [[...MEMBER, '--nats-queue', '', '--on', '*=nats://h/a'], /no name of a queue group/],
  ])('refuses %j', async (argv, message) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(argv);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('handles what a gateway hands over, and each message once, with others that share the work', async () => {
    const { stub, start, subject, startMember } = await openQueue();
    const members = [await startMember(), await startMember()];
    const reader = start('--on', `*=${subject}`);
    stub.push(...[1, 2, 3, 4].map((n) => eventOf(ALICE, { n })));
    await stub.until(() => stub.acknowledged === 4);
    expect(numbersOf(stub.sent.map(({ messages }) => messages))).toEqual([1, 2, 3, 4]);

    expect(members[0]?.stdout.lines[0]).toEqual({
      v: 1,
      ready: true,
      server_name: 'example.org',
      queue: 'workers',
      subjects: [subject],
    });
    for (const member of members) {
      expect(await end(member)).toBe(0);
      const [, ...log] = member.stdout.lines;
      expect(log).toHaveLength(2);
      expect(log[0]).toMatchObject({
        direction: 'in',
        sender: ALICE,
        to: '@:example.org',
        device: '',
        via: 'client',
        outcome: 'handled',
      });
    }
    await end(reader);
    expect(reader.stdout.text.match(/"direction":"in"/g)).toHaveLength(4);
  });

  it('lets another member handle what one fails at', async () => {
    const { stub, start, subject, startMember } = await openQueue();
    const broken = await startMember('--on', '*=exec:exit 1');
    const sound = await startMember();
    const reader = start('--on', `*=${subject}`);
    stub.push(eventOf(ALICE, { n: 1 }), eventOf(ALICE, { n: 2 }));
    await stub.until(() => stub.acknowledged === 2);
    expect(numbersOf(stub.sent.map(({ messages }) => messages))).toEqual([1, 2]);
    expect(broken.stdout.text).toContain('"outcome":"failed"');
    expect(broken.stderr.text).toContain('the handler of org.example.a failed: the command ended with 1');
    for (const each of [reader, broken, sound]) await end(each);
  });

  it('works alone, and tells of each message once', async () => {
    const { stub, start, subject, broker } = await openQueue();
    const running = start(
      ...['--nats-queue', 'workers', '--on', `*=${subject}`, '--on', '*=echo', '--health-port', '0'],
    );
    const health = await healthOf(running);
    await broker.subscribed('a.b', 1);
    stub.push(eventOf(ALICE, { n: 1 }));
    await running.stdout.until(/"direction":"out"/);
    expect(await metricsOf(health)).toMatchObject({
      'events_total{outcome="handled"}': 1,
      'queue_events_total{outcome="handled"}': 1,
      queue_joined: 1,
    });
    expect(await end(running)).toBe(0);
    expect(running.stdout.text.match(/"direction":"in"/g)).toHaveLength(1);
  });

  it('leaves to others what it has no handler for', async () => {
    const { stub, start, subject, startMember } = await openQueue();
    const other = await startMember();
    const running = start('--nats-queue', 'workers', '--on', `*=${subject}`, '--on', 'org.other=echo');
    await running.stderr.until(/others answer in the queue group workers/);
    stub.push(eventOf(ALICE, { n: 1 }));
    await running.stdout.until(/"direction":"out"/);
    await end(running);
    await end(other);
  });

  it('is ready while NATS is there', async () => {
    const { broker, startMember } = await openQueue();
    const member = await startMember('--health-port', '0');
    const health = await healthOf(member);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 200 });
    await broker.close();
    await member.stderr.until(/out of the queue group workers, trying again: .*\n/);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 503 });
    await broker.open();
    await member.stderr.until(/back in the queue group workers\n/);
    expect(await statusOf(health)).toEqual({ live: 200, ready: 200 });
    await end(member);
  });

  it('ends with 5 when NATS is not there at the start', async () => {
    const { broker, place, subject } = await openQueue();
    await broker.close();
    const rules = ['--on', `*=${subject}`, '--on', '*=echo'];
    const { code, stderr } = await place.run([...MEMBER, ...rules, '--retries', '0']);
    expect([code, lastJson(stderr)['error']]).toMatchObject([
      5,
      { code: 'network', message: expect.stringContaining(`cannot take messages from ${subject}`) as string },
    ]);
  });
});

/** A gateway that may be started, a broker, and members of a queue group there, which echo unless told otherwise. */
async function openQueue() {
  const stage = await openStage();
  const broker = await startNatsBroker();
  const subject = `nats://127.0.0.1:${broker.port}/a.b`;
  return {
    ...stage,
    broker,
    subject,
    startMember: async (...flags: readonly string[]): Promise<Running> => {
      const own = flags.includes('--on') ? [] : ['--on', '*=echo'];
      const env = { PATH: process.env['PATH'] };
      const member = stage.place.start([...MEMBER, '--on', `*=${subject}`, ...own, ...flags], { env });
      await member.stdout.until(/"ready":true/);
      return member;
    },
  };
}

/** The `n` in each of what was sent to alice, in order. */
function numbersOf(messages: readonly unknown[]): number[] {
  return messages
    .map((each) => (each as Record<string, Record<string, { n: number }>>)[ALICE]?.['*']?.n ?? NaN)
    .sort((a, b) => a - b);
}
