/** What a server believes of another one that lies, and of one that repeats itself: Synapse, and ours. */
import { beforeEach, describe, expect, inject, it, onTestFinished } from 'vitest';
import { shapeFaults } from '../evidence/shapes.js';
import { receive, sendToDevice, type Session } from './kit/matrix.js';
import { ServeHost, VERIFYING, type Serve } from './kit/serve.js';
import { freshMessageId, startStranger, type Stranger } from './kit/stranger.js';
import { newSession } from './kit/synapse.js';

const found = inject('synapse');
const TYPE = 'org.example.event';

/** A server with a user. */
interface Host {
  readonly serverName: string;
  readonly user: Session;
}

function itBelievesNoStranger(open: () => Promise<Host>): void {
  let serverName: string;
  let user: Session;
  let stranger: Stranger;
  /** The server user of the stranger. */
  let sender: string;

  beforeEach(async () => {
    ({ serverName, user } = await open());
    stranger = await startStranger();
    sender = `@:${stranger.serverName}`;
  });

  const edu = (from: string, n: number) => ({
    sender: from,
    type: TYPE,
    message_id: freshMessageId(),
    messages: { [user.userId]: { [user.deviceId]: { n } } },
  });
  const eventOf = (n: number) => ({ sender, type: TYPE, content: { n } });

  it('R-28 forwards what the other server itself says to its user', async () => {
    await stranger.say(serverName, edu(sender, 1));
    expect(await receive(user, 1)).toEqual([eventOf(1)]);
  });

  it('R-16 drops what claims to be of a third server, or its own, and takes the rest', async () => {
    const victims = ['@:victim.example', '@alice:victim.example', `@:${serverName}`, user.userId];
    await stranger.say(serverName, ...victims.map((victim) => edu(victim, 0)), edu(sender, 1));
    await stranger.say(serverName, edu(sender, 2));
    expect(await receive(user, 2)).toEqual([eventOf(1), eventOf(2)]);
  });

  it('R-18 takes a message once, also when it comes in another transaction', async () => {
    const repeated = edu(sender, 1);
    await stranger.say(serverName, repeated);
    await stranger.say(serverName, repeated, edu(sender, 2));
    await stranger.say(serverName, edu(sender, 3));
    expect(await receive(user, 3)).toEqual([eventOf(1), eventOf(2), eventOf(3)]);
  });

  it('R-14 tells the other server what its user says to it, in the form of the proposal', async () => {
    for (const n of [1, 2]) await sendToDevice(user, { userId: sender, deviceId: '' }, TYPE, { n });
    const [first, second] = await stranger.hears(2);
    for (const [content, n] of [[first, 1] as const, [second, 2] as const]) {
      expect(shapeFaults('edu-to-server', { edu_type: 'm.direct_to_device', content })).toEqual([]);
      expect(content).toMatchObject({ sender: user.userId, messages: { [sender]: { '': { n } } } });
    }
    expect(first?.message_id).not.toBe(second?.message_id);
  });
}

describe.runIf(!('missing' in found))('Synapse and a stranger', () => {
  itBelievesNoStranger(async () => {
    if ('missing' in found) throw new Error(found.missing);
    return { serverName: found.serverName, user: await newSession(found) };
  });
});

describe('mx2s serve and a stranger', () => {
  itBelievesNoStranger(async () => {
    const serve = await openServe();
    return { serverName: serve.serverName, user: serve.alice };
  });

  it('R-10 R-27 say "" to a server where their user said "*", and "*" to a user', async () => {
    const serve = await openServe();
    const stranger = await startStranger();
    const [itself, user] = [`@:${stranger.serverName}`, `@user:${stranger.serverName}`];
    await sendToDevice(serve.alice, { userId: itself, deviceId: '*' }, TYPE, {});
    expect(await stranger.hears(1)).toMatchObject([{ messages: { [itself]: { '': {} } } }]);
    expect(stranger.asked()).toEqual([expect.stringMatching(/^PUT .*\/send\/[^/]+$/)]); // no device list

    await stranger.say(serve.serverName, {
      ...{ sender: user, type: TYPE, message_id: freshMessageId() },
      messages: { [serve.serverUser]: { '': {} } },
    });
    const [, content] = await stranger.hears(2);
    expect(shapeFaults('edu-from-server', { edu_type: 'm.direct_to_device', content })).toEqual([]);
    expect(content).toMatchObject({ sender: serve.serverUser, messages: { [user]: { '*': {} } } });
  });

  it('R-13 R-17 R-36 hear what the other server itself says, and let it be', async () => {
    const serve = await openServe();
    const stranger = await startStranger();
    const [itself, user] = [`@:${stranger.serverName}`, `@user:${stranger.serverName}`];
    const edu = (sender: string, deviceId: string) => ({
      sender,
      type: TYPE,
      message_id: freshMessageId(),
      messages: { [serve.serverUser]: { [deviceId]: {} } },
    });
    await stranger.say(serve.serverName, edu(itself, ''), edu(user, 'OTHER'), edu(user, '*'));
    expect(await stranger.hears(1)).toMatchObject([
      { sender: serve.serverUser, messages: { [user]: { '*': {} } } },
    ]);
    const log = await serve.end();
    expect(log.map(({ sender, device, outcome }) => [sender, device, outcome]).sort()).toEqual(
      [
        [itself, '', 'handled'],
        [user, 'OTHER', 'dropped'],
        [user, '', 'handled'],
        [serve.serverUser, '*', 'handled'],
      ].sort(),
    );
    expect(stranger.heard).toHaveLength(1);
  });

  it('R-16 R-18 say so in the event log', async () => {
    const serve = await openServe();
    const stranger = await startStranger();
    const edu = (sender: string) => ({
      sender,
      type: TYPE,
      message_id: freshMessageId(),
      messages: { [serve.serverUser]: { '': {} } },
    });
    const repeated = edu(`@user:${stranger.serverName}`);
    await stranger.say(serve.serverName, edu('@:victim.example'), repeated, repeated);
    await stranger.hears(1);
    const log = await serve.end();
    expect(log.map(({ direction, outcome }) => [direction, outcome]).sort()).toEqual([
      ['in', 'duplicate'],
      ['in', 'handled'],
      ['in', 'spoofed'],
      ['out', 'handled'],
    ]);
  });
});

/** One that answers everything with its echo. It ends with the test. */
async function openServe(): Promise<Serve> {
  const host = await ServeHost.open();
  onTestFinished(() => host.close());
  return host.start(...VERIFYING, '--on', 'org.example.*=echo');
}
