/** A server that is down for a while gets everything when it is back, in order and once. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { objectsOf } from './kit/account.js';
import { receive, sendToDevice } from './kit/matrix.js';
import { freePorts } from './kit/ports.js';
import { INSECURE, ServeHost } from './kit/serve.js';
import { UNVERIFIED } from './kit/synapse-configuration.js';
import { newSession, startSynapse, type Synapse } from './kit/synapse.js';

const found = inject('synapse');
const TYPE = 'org.example.event';

describe.runIf(!('missing' in found))('mx2s serve and Synapse, of which one is down', () => {
  let synapse: Synapse;
  let host: ServeHost;
  /** A server that can be started again. */
  let flags: string[];

  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    const patience = { federation: { max_long_retry_delay: '1s' } };
    synapse = await startSynapse(found.python, { config: { ...UNVERIFIED, ...patience } });
  });
  afterAll(() => synapse.stop());

  beforeEach(async () => {
    host = await ServeHost.open();
    onTestFinished(() => host.close());
    const [port] = await freePorts();
    flags = ['--data', 'server.db', '--server-name', `localhost:${String(port)}`];
    flags.push('--federation-port', String(port), ...INSECURE, '--on', `${TYPE}=echo`, '--verbose');
  });

  it(
    'Synapse gets 1,000 messages of ours, although we are killed in between',
    { timeout: 180_000 },
    async () => {
      const carol = await newSession(synapse.address);
      const send = ['send', carol.userId, '--device', carol.deviceId, '-t', TYPE, '--ndjson', '--quiet'];
      const lines = (from: number, to: number) =>
        Array.from({ length: to - from }, (_, index) => `{"n":${String(from + index)}}\n`).join('');

      await synapse.halt();
      const before = await host.start(...flags);
      expect(objectsOf((await before.run(send, lines(0, 1000))).stdout)).toHaveLength(1000);
      await before.said(/attempt 3/);
      await before.kill();
      const after = await host.start(...flags);
      expect(await after.run(send, lines(1000, 1001))).toMatchObject({ code: 0 });
      await synapse.resume();

      const events = await receive(carol, 1001);
      expect(events).toEqual(
        Array.from({ length: 1001 }, (_, n) => ({ sender: after.alice.userId, type: TYPE, content: { n } })),
      );
    },
  );

  it('our server gets 150 messages of Synapse', { timeout: 120_000 }, async () => {
    const carol = await newSession(synapse.address);
    const before = await host.start(...flags);
    await before.end();
    for (let n = 0; n < 150; n++) {
      await sendToDevice(carol, { userId: before.serverUser, deviceId: '' }, TYPE, { n });
    }
    const after = await host.start(...flags);
    const events = await receive(carol, 150);
    expect(events.map(({ content }) => content['n'])).toEqual(Array.from({ length: 150 }, (_, n) => n));
    const heard = (await after.end()).filter(({ direction }) => direction === 'in');
    expect(heard.map(({ content }) => content)).toEqual(Array.from({ length: 150 }, (_, n) => ({ n })));
  });
});
