/** `mx2s gateway` on a real Dendrite: not as an application service, but with the account of the server notices. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import { runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { newAccount, objectsOf } from './kit/account.js';
import { giveServerUser, startDendrite, type Dendrite } from './kit/dendrite.js';
import { dendriteProgram } from './kit/dendrite-program.js';
import { Flow } from './kit/flow.js';
import { newSession } from './kit/homeserver.js';
import { call, receive, sendToDevice, type Session } from './kit/matrix.js';
import { ServeHost, VERIFYING } from './kit/serve.js';

const program = await dendriteProgram(process.env);
const synapse = inject('synapse');

describe.runIf(!('missing' in program))('mx2s gateway as an application service of Dendrite', () => {
  it('is refused the empty localpart, says what can be done, and has made no account', async () => {
    const home = await makeTempDir();
    const dendrite = await startDendrite(program);
    onTestFinished(async () => {
      await dendrite.stop();
      await home.remove();
    });
    const { baseUrl, serverName } = dendrite.address;
    const registration = join(home.path, 'mx2s.yaml');
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--registration', registration];
    expect(await runBinary(['gateway', 'init', ...place], { home: home.path })).toMatchObject({ code: 0 });
    await dendrite.configure({ app_service_api: { config_files: [registration] } });
    await dendrite.halt();
    await dendrite.resume();

    const refused = await runBinary(['gateway', '--registration', registration], { home: home.path });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(objectsOf(refused.stderr)).toMatchObject([
      {
        error: {
          errcode: 'M_INVALID_USERNAME',
          hint: expect.stringContaining('--password-file (see docs/homeservers.md)') as string,
        },
      },
    ]);
    const profile = `${baseUrl}/_matrix/client/v3/profile`;
    await expect(call('GET', `${profile}/@1:${serverName}`)).rejects.toThrow(/404/);
    await expect(call('GET', `${profile}/@:${serverName}`)).rejects.toThrow(/404/);
  });
});

describe.runIf(!('missing' in program))('mx2s gateway with the password of @:server on Dendrite', () => {
  let home: TempDir;
  let dendrite: Dendrite;
  let serverUser: string;
  let gateway: RunningBinary;
  /** Has asked before anybody was there to answer. */
  let early: Session;

  const startGateway = async () => {
    const { baseUrl, serverName } = dendrite.address;
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--password-file', 'password'];
    gateway = startBinary(['gateway', ...place, '--on', 'org.example.*=echo'], { home: home.path });
    return JSON.parse(await gateway.lineOf('stdout', /"ready":true/)) as Record<string, unknown>;
  };

  beforeAll(async () => {
    home = await makeTempDir();
    dendrite = await startDendrite(program);
    serverUser = `@:${dendrite.address.serverName}`;
    early = await newSession(dendrite.address);
    await sendToDevice(early, { userId: serverUser, deviceId: '' }, 'org.example.question', { n: 1 });
    await writeFile(join(home.path, 'password'), await giveServerUser(dendrite));
    expect(await startGateway()).toMatchObject({ ready: true, user_id: serverUser });
  });
  afterAll(async () => {
    await gateway.stop();
    await dendrite.stop();
    await home.remove();
  });

  it('answers what was sent before it was there, which Dendrite has kept', async () => {
    expect(await receive(early, 1)).toMatchObject([{ sender: serverUser, content: { n: 1 } }]);
  });

  it('answers mx2s request', async () => {
    const account = await newAccount(dendrite.address);
    onTestFinished(() => account.remove());
    expect(await account.login()).toMatchObject({ code: 0 });
    const asked = await account.run([
      ...['request', serverUser, '-t', 'org.example.question', '-d', '{"n":1}', '-W', '30s'],
    ]);
    expect(asked).toMatchObject({ code: 0 });
    expect(objectsOf(asked.stdout)).toMatchObject([
      { sender: serverUser, type: 'org.example.question', content: { n: 1 }, own_server: true },
    ]);
  });

  const itAnswers = async (user: Session) => {
    const content = { device_id: user.deviceId };
    await sendToDevice(user, { userId: serverUser, deviceId: '' }, 'org.example.question', content);
    expect(await receive(user, 1)).toEqual([{ sender: serverUser, type: 'org.example.question', content }]);
  };

  it('answers a user of mx2s serve', async () => {
    const host = await ServeHost.open();
    onTestFinished(() => host.close());
    await itAnswers((await host.start(...VERIFYING)).alice);
  });

  it.runIf(!('missing' in synapse))('answers a user of Synapse', async () => {
    if ('missing' in synapse) throw new Error(synapse.missing);
    await itAnswers(await newSession(synapse));
  });

  it('does not hear what is sent to device "*", which Dendrite gives to the devices that it lists', async () => {
    const user = await newSession(dendrite.address);
    await sendToDevice(user, { userId: serverUser, deviceId: '*' }, 'org.example.question', { n: 1 });
    await sendToDevice(user, { userId: serverUser, deviceId: '' }, 'org.example.question', { n: 2 });
    expect(await receive(user, 1)).toMatchObject([{ content: { n: 2 } }]);
  });

  it('loses and doubles none of 500 requests when it is killed (SIGKILL) and started again, twice', async () => {
    const flow = await Flow.start(await newSession(dendrite.address), serverUser, 500);
    for (const answered of [100, 300]) {
      await flow.answered(answered);
      gateway.kill('SIGKILL');
      expect(await gateway.result).toMatchObject({ signal: 'SIGKILL' });
      await startGateway();
    }
    expect(await flow.end()).toEqual({ lost: 0, doubled: 0 });
  }, 120_000);

  // Not "loses none": a Dendrite that is stopped tells who syncs to go on after messages that it has not told.
  it('goes on when Dendrite is restarted', async () => {
    const user = await newSession(dendrite.address);
    await itAnswers(user);
    await dendrite.halt();
    await gateway.lineOf('stderr', /the connection is lost/);
    await dendrite.resume();
    await itAnswers(await newSession(dendrite.address));
  });

  it('stops when it is told to', async () => {
    gateway.kill('SIGTERM');
    expect(await gateway.result).toMatchObject({ code: 0 });
  });
});
