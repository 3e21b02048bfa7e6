/** What a server believes of another one that lies, and of one that repeats itself. */
import { beforeEach, describe, expect, inject, it } from 'vitest';
import { sendToDevice, syncOnce, type Session } from './kit/matrix.js';
import { freshMessageId, startStranger, type Stranger } from './kit/stranger.js';
import { newSession } from './kit/synapse.js';

const found = inject('synapse');

describe.runIf(!('missing' in found))('Synapse and a stranger', () => {
  let serverName: string;
  let user: Session;
  let stranger: Stranger;

  beforeEach(async () => {
    if ('missing' in found) throw new Error(found.missing);
    serverName = found.serverName;
    user = await newSession(found);
    stranger = await startStranger();
  });

  const edu = (sender: string, content: Record<string, unknown>, messageId = freshMessageId()) => ({
    sender,
    type: 'org.example.event',
    message_id: messageId,
    messages: { [user.userId]: { [user.deviceId]: content } },
  });
  const eventOf = (sender: string, content: Record<string, unknown>) => ({
    sender,
    type: 'org.example.event',
    content,
  });

  it('R-28 forwards what the server itself says to its user', async () => {
    const sender = `@:${stranger.serverName}`;
    await stranger.say(serverName, edu(sender, { n: 1 }));
    const { events } = await syncOnce(user, { timeoutMs: 10_000 });
    expect(events).toEqual([eventOf(sender, { n: 1 })]);
  });

  it('R-16 drops what claims to be of another server, and takes the rest', async () => {
    const sender = `@:${stranger.serverName}`;
    const spoofed = ['@:victim.example', '@alice:victim.example', `@:${serverName}`, user.userId];
    await stranger.say(
      serverName,
      ...spoofed.map((victim) => edu(victim, { victim })),
      edu(sender, { n: 1 }),
    );
    const { events } = await syncOnce(user, { timeoutMs: 10_000 });
    expect(events).toEqual([eventOf(sender, { n: 1 })]);
  });

  it('R-18 takes a message once, also when it comes in another transaction', async () => {
    const sender = `@:${stranger.serverName}`;
    const repeated = edu(sender, { n: 1 });
    await stranger.say(serverName, repeated);
    await stranger.say(serverName, repeated, edu(sender, { n: 2 }));
    const { events } = await syncOnce(user, { timeoutMs: 10_000 });
    expect(events).toEqual([eventOf(sender, { n: 1 }), eventOf(sender, { n: 2 })]);
  });

  it.each(['', '*'])(
    'R-14 sends on what its user tells the other server, to device "%s"',
    async (deviceId) => {
      await sendToDevice(user, { userId: `@:${stranger.serverName}`, deviceId }, 'org.example.event', {
        n: 1,
      });
      expect(await stranger.hears(1)).toMatchObject([
        { sender: user.userId, messages: { [`@:${stranger.serverName}`]: { [deviceId]: { n: 1 } } } },
      ]);
    },
  );
});
