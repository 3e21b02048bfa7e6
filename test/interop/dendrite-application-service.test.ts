/** What an application service can do on Dendrite, and what it cannot, in raw HTTP: why `mx2s gateway` is none there. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeTempDir } from '../kit/temp-dir.js';
import { startDendrite, type Dendrite } from './kit/dendrite.js';
import { dendriteProgram } from './kit/dendrite-program.js';
import { newSession, registerUser } from './kit/homeserver.js';
import { call, login, receive, sendToDevice } from './kit/matrix.js';

const program = await dendriteProgram(process.env);
const SERVER_NAME = 'dendrite.example';
const SERVER_USER = `@:${SERVER_NAME}`;
const AS_TOKEN = 'the token of the application service';
const AS_LOGIN = 'm.login.application_service';
const TYPE = 'org.example.event';

describe.runIf(!('missing' in program))('an application service of Dendrite', () => {
  it('cannot be the empty localpart by itself: Dendrite does not start', async () => {
    await expect(start({ sender_localpart: '' })).rejects.toThrow(/Sender Localpart is required/);
  });

  it('cannot register the empty localpart: another user is made', async () => {
    const { client } = await start({});
    const body = { type: AS_LOGIN, username: '', inhibit_login: true };
    expect(await call('POST', `${client}/register`, { token: AS_TOKEN, body })).toMatchObject({
      user_id: `@1:${SERVER_NAME}`,
    });
  });

  it('cannot log in as the empty localpart', async () => {
    const { dendrite } = await start({});
    const identifier = { type: 'm.id.user', user: SERVER_USER };
    const body = { type: AS_LOGIN, identifier, device_id: '' };
    await expect(login(dendrite.address.baseUrl, body, AS_TOKEN)).rejects.toThrow(/M_INVALID_USERNAME/);
  });

  it.each([
    ['_bot', '_bot'],
    [SERVER_USER, SERVER_USER],
  ])('speaks as its bare sender_localpart %s when it says that it is @:server', async (localpart, sender) => {
    const { dendrite, client } = await start({ sender_localpart: localpart });
    const user = await newSession(dendrite.address);
    const messages = { [user.userId]: { [user.deviceId]: { n: 1 } } };
    await call('PUT', `${client}/sendToDevice/${TYPE}/txn?user_id=${SERVER_USER}`, {
      token: AS_TOKEN,
      body: { messages },
    });
    expect(await receive(user, 1)).toEqual([{ sender, type: TYPE, content: { n: 1 } }]);
    // and it reads as a device of its own, never as ""
    const whoami = await call('GET', `${client}/account/whoami?user_id=${SERVER_USER}`, { token: AS_TOKEN });
    expect(whoami).toMatchObject({ user_id: sender, device_id: 'AS_Device' });
  });

  it('is pushed events of rooms, and no to-device message', async () => {
    const pushed: string[] = [];
    const server = createServer((request, response) => {
      void request.toArray().then((chunks) => {
        pushed.push(Buffer.concat(chunks as Buffer[]).toString());
        response.end('{}');
        server.emit('pushed');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const { dendrite, client } = await start({ url, receive_ephemeral: true });
    const [user, other] = [await newSession(dendrite.address), await newSession(dendrite.address)];
    await sendToDevice(user, { userId: SERVER_USER, deviceId: '' }, TYPE, { n: 1 });
    await sendToDevice(user, other, TYPE, { n: 2 });
    const wasPushed = once(server, 'pushed');
    await call('POST', `${client}/createRoom`, { token: user.accessToken, body: {} });
    await wasPushed;
    expect(pushed.join('\n')).toContain('m.room.create');
    expect(pushed.join('\n')).not.toContain(TYPE);
  });
});

describe.runIf(!('missing' in program))('any user of Dendrite', () => {
  it('can have a device "", which hears what is sent to "" and not what is sent to "*"', async () => {
    const { dendrite } = await start({});
    await registerUser(dendrite.address, 'plain', 'a password');
    const device = await login(dendrite.address.baseUrl, {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'plain' },
      password: 'a password',
      device_id: '',
    });
    expect(device).toMatchObject({ deviceId: '' });
    const other = await newSession(dendrite.address);
    for (const deviceId of ['*', '']) {
      await sendToDevice(other, { userId: device.userId, deviceId }, TYPE, { deviceId });
    }
    expect(await receive(device, 1)).toMatchObject([{ content: { deviceId: '' } }]);
  });
});

/** A Dendrite with an application service for every user; `registration` is merged over what it is by default. */
async function start(
  registration: Readonly<Record<string, unknown>>,
): Promise<{ dendrite: Dendrite; client: string }> {
  const folder = await makeTempDir();
  onTestFinished(() => folder.remove());
  const file = join(folder.path, 'registration.yaml');
  const users = [{ exclusive: false, regex: '.*' }];
  const whole = {
    ...{ id: 'bot', url: null, as_token: AS_TOKEN, hs_token: 'another', sender_localpart: '_bot' },
    ...{ rate_limited: false, namespaces: { users, rooms: [], aliases: [] } },
    ...registration,
  };
  await writeFile(file, JSON.stringify(whole));
  const dendrite = await startDendrite(program, {
    serverName: SERVER_NAME,
    config: { app_service_api: { config_files: [file] } },
  });
  onTestFinished(() => dendrite.stop());
  return { dendrite, client: `${dendrite.address.baseUrl}/_matrix/client/v3` };
}
