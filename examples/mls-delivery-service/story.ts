/** What the example shows, step by step. */
import { DeliveryService } from './delivery-service.js';
import { startHandlerServer } from './handler-server.js';
import { startHomeserver } from './homeserver.js';
import { MlsClient } from './mls-client.js';
import { MESSAGE_TYPE, type RejectedContent } from './shapes.js';

/** What it came to. */
export interface Outcome {
  /** Of Alice and of Bob. */
  readonly epochs: readonly (bigint | undefined)[];
  /** What each of the two has for the secret of the last epoch, in hexadecimal. */
  readonly secrets: readonly string[];
  readonly rejected: readonly RejectedContent[];
  /** What Bob read. */
  readonly heard: readonly string[];
}

/** Tells the story, a line for each step. */
export async function tellStory(tell: (line: string) => void): Promise<Outcome> {
  const ends: (() => Promise<void>)[] = [];
  try {
    const service = await startHandlerServer(new DeliveryService());
    ends.unshift(() => service.stop());
    const home = await startHomeserver(MESSAGE_TYPE, service.url);
    ends.unshift(() => home.stop());
    const server = `@:${home.serverName}`;
    tell(`${server} is a homeserver, and behind it is a delivery service for MLS`);

    const rejected: RejectedContent[] = [];
    const clients = home.users.map(async (user) => {
      const onRejected = (content: RejectedContent): void => {
        rejected.push(content);
        tell(`${server} rejects a commit of ${user.userId}: ${content.reason}`);
      };
      const client = await MlsClient.open({ ...user, homeserver: home.url, server, onRejected });
      ends.unshift(() => client.close());
      return client;
    });
    const [alice, bob] = await Promise.all(clients);
    if (alice === undefined || bob === undefined) throw new Error('the homeserver has no two users');
    return { ...(await play(alice, bob, tell)), rejected };
  } finally {
    for (const end of ends) await end();
  }
}

/** The steps of two clients of one delivery service. */
export async function play(
  alice: MlsClient,
  bob: MlsClient,
  tell: (line: string) => void,
): Promise<Omit<Outcome, 'rejected'>> {
  await bob.publishKeyPackage();
  tell('Bob publishes a KeyPackage');

  await alice.createGroup('!room:example.org');
  await alice.add(bob.device);
  tell(`Alice makes a group and adds Bob; her commit is taken, and she is at epoch ${alice.epoch}`);
  await bob.until(() => bob.epoch !== undefined);
  tell(`Bob gets the Welcome from the server, and is at epoch ${bob.epoch}`);

  tell('both renew their keys at once, each with a commit on top of epoch 1');
  await Promise.all([alice.renewKeys(), bob.renewKeys()]);
  await Promise.all([alice, bob].map((client) => client.until(() => client.epoch === 3n)));
  tell(`the commit is made anew on top of the other: Alice is at epoch ${alice.epoch}, Bob at ${bob.epoch}`);

  const secrets = await Promise.all([alice.exportSecret('example'), bob.exportSecret('example')]);
  const [hers = '', his = ''] = secrets.map((secret) => Buffer.from(secret).toString('hex'));
  tell(`the secret of the epoch begins with ${hers.slice(0, 8)} for Alice, with ${his.slice(0, 8)} for Bob`);

  await alice.say('Hello, Bob!', bob.device);
  await bob.until(() => bob.heard.length > 0);
  tell(`Alice encrypts a message; Bob reads: ${bob.heard[0]}`);
  return { epochs: [alice.epoch, bob.epoch], secrets: [hers, his], heard: bob.heard };
}
