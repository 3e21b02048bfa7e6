/** `mx2s gateway` on a real Synapse that was set up as its operator would, and what is lost when either ends: nothing. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { newAccount, objectsOf } from './kit/account.js';
import { Flow } from './kit/flow.js';
import { receive, sendToDevice, type Session } from './kit/matrix.js';
import { newSession, startSynapse, type Synapse } from './kit/synapse.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('mx2s gateway on Synapse', () => {
  let home: TempDir;
  let synapse: Synapse;
  let gateway: RunningBinary;
  let registration: string;
  /** Has asked before anybody was there to answer. */
  let early: Session;

  const startGateway = async () => {
    const flags = ['--registration', registration, '--on', 'org.example.*=echo'];
    gateway = startBinary(['gateway', ...flags], { home: home.path });
    return JSON.parse(await gateway.lineOf('stdout', /"ready":true/)) as Record<string, unknown>;
  };

  const ask = (from: Session, n: number) => {
    const to = { userId: `@:${synapse.address.serverName}`, deviceId: '' };
    return sendToDevice(from, to, 'org.example.question', { n });
  };

  beforeAll(async () => {
    if ('missing' in found) throw new Error(found.missing);
    home = await makeTempDir();
    registration = join(home.path, 'mx2s.yaml');
    synapse = await startSynapse(found.python, { serverUser: false });
    const { baseUrl, serverName } = synapse.address;
    early = await newSession(synapse.address);
    await ask(early, 1);
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--registration', registration];
    const made = await runBinary(['gateway', 'init', ...place], { home: home.path });
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining(registration) as string });
    await synapse.configure({ app_service_config_files: [registration] });
    await synapse.halt();
    await synapse.resume();
    expect(await startGateway()).toEqual({
      v: 1,
      ready: true,
      homeserver: baseUrl,
      server_name: serverName,
      user_id: `@:${serverName}`,
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await synapse.stop();
    await home.remove();
  });

  it('hears nothing that was sent before it was there, which Synapse has dropped', async () => {
    await ask(early, 2);
    expect(await receive(early, 1)).toMatchObject([{ content: { n: 2 } }]);
  });

  it('answers mx2s request', async () => {
    const account = await newAccount(synapse.address);
    expect(await account.login()).toMatchObject({ code: 0 });
    const { serverName } = synapse.address;
    const asked = await account.run([
      ...['request', `@:${serverName}`, '-t', 'org.example.question', '-d', '{"n":1}', '-W', '30s'],
    ]);
    expect(asked).toMatchObject({ code: 0 });
    expect(objectsOf(asked.stdout)).toMatchObject([
      { sender: `@:${serverName}`, type: 'org.example.question', content: { n: 1 }, own_server: true },
    ]);
    await account.remove();
  });

  it.each(['', '*'])('answers a user of another Synapse who sends to device "%s"', async (deviceId) => {
    if ('missing' in found) throw new Error(found.missing);
    const user = await newSession(found);
    const userId = `@:${synapse.address.serverName}`;
    const content = { device_id: user.deviceId };
    await sendToDevice(user, { userId, deviceId }, 'org.example.question', content);
    expect(await receive(user, 1)).toEqual([{ sender: userId, type: 'org.example.question', content }]);
    const pattern = new RegExp(`"direction":"in","sender":"${user.userId}".*"via":"federation"`);
    expect(JSON.parse(await gateway.lineOf('stdout', pattern))).toMatchObject({ outcome: 'handled' });
  });

  const killAndStart = async () => {
    gateway.kill('SIGKILL');
    expect(await gateway.result).toMatchObject({ signal: 'SIGKILL' });
    await startGateway();
  };

  it('loses none of 1,000 requests while it is killed (SIGKILL) and Synapse is restarted', async () => {
    const flow = await Flow.start(await newSession(synapse.address), `@:${synapse.address.serverName}`, 1000);
    await flow.answered(200);
    await killAndStart();
    await flow.answered(500);
    await flow.during(async () => {
      await synapse.halt();
      await synapse.resume();
    });
    expect(await flow.end()).toMatchObject({ lost: 0 });
  }, 300_000);

  it('answers no request twice when it is killed, twice, while Synapse remembers its answers', async () => {
    const flow = await Flow.start(await newSession(synapse.address), `@:${synapse.address.serverName}`, 300);
    for (const answered of [60, 180]) {
      await flow.answered(answered);
      await killAndStart();
    }
    const { lost, doubled } = await flow.end();
    expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
  }, 120_000);

  it('stops when it is told to', async () => {
    gateway.kill('SIGTERM');
    expect(await gateway.result).toMatchObject({ code: 0 });
  });
});
