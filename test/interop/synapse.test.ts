/** The kit itself, in raw HTTP: if this fails, the fault is not in mx2s. */
import { describe, expect, inject, it } from 'vitest';
import { sendToDevice, syncOnce } from './kit/matrix.js';
import { loginServerUser, loginUser, registerUser } from './kit/synapse.js';

const synapse = inject('synapse');

describe.runIf(!('missing' in synapse))('a real Synapse', () => {
  it('has a server user that receives and sends as device ""', async () => {
    if ('missing' in synapse) throw new Error(synapse.missing);
    await registerUser(synapse, 'kit', 'a password');
    const user = await loginUser(synapse, 'kit', 'a password');
    const serverUser = await loginServerUser(synapse);
    expect(serverUser).toMatchObject({ userId: `@:${synapse.serverName}`, deviceId: '' });

    await sendToDevice(user, serverUser, 'org.example.question', { n: 1 });
    expect(await syncOnce(serverUser, { timeoutMs: 10_000 })).toMatchObject({
      events: [{ type: 'org.example.question', sender: user.userId, content: { n: 1 } }],
    });

    await sendToDevice(serverUser, user, 'org.example.answer', { n: 2 });
    expect(await syncOnce(user, { timeoutMs: 10_000 })).toMatchObject({
      events: [{ type: 'org.example.answer', sender: serverUser.userId, content: { n: 2 } }],
    });
  });
});
