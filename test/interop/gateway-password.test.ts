/** `mx2s gateway --password-file` on Synapse: the account was made by an application service, which may be gone. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { startBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';
import { loginUser, newSession, registerUser } from './kit/homeserver.js';
import { call, receive, sendToDevice } from './kit/matrix.js';
import { startSynapse } from './kit/synapse.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('mx2s gateway with the password of @:server on Synapse', () => {
  it('answers', async () => {
    if ('missing' in found) throw new Error(found.missing);
    const home = await makeTempDir();
    const synapse = await startSynapse(found.python);
    onTestFinished(async () => {
      await synapse.stop();
      await home.remove();
    });
    const { baseUrl, serverName } = synapse.address;
    await registerUser(synapse.address, 'admin', 'a password', 'admin');
    const admin = await loginUser(synapse.address, 'admin', 'a password');
    const password = randomBytes(12).toString('hex');
    await call('PUT', `${baseUrl}/_synapse/admin/v2/users/@:${serverName}`, {
      token: admin.accessToken,
      body: { password },
    });
    await synapse.configure({ app_service_config_files: [] });
    await synapse.halt();
    await synapse.resume();

    await writeFile(join(home.path, 'password'), password);
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--password-file', 'password'];
    const gateway = startBinary(['gateway', ...place, '--on', '*=echo'], { home: home.path });
    onTestFinished(() => gateway.stop());
    await gateway.lineOf('stdout', /"ready":true/);
    for (const deviceId of ['', '*']) {
      const user = await newSession(synapse.address);
      await sendToDevice(user, { userId: `@:${serverName}`, deviceId }, 'org.example.question', { deviceId });
      expect(await receive(user, 1)).toMatchObject([{ sender: `@:${serverName}`, content: { deviceId } }]);
    }
  });
});
