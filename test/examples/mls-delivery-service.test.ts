/** The example of a delivery service for MLS: the whole of it, and what its service decides. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { connect, parseContent, parseEventType, parseRecipient, parseTransactionId, sendMessage } from 'mx2s';
import {
  createApplicationMessage,
  createCommit,
  createGroup,
  defaultCapabilities,
  defaultLifetime,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  type ClientState,
  type CreateCommitOptions,
  type KeyPackage,
  type Proposal,
} from 'ts-mls';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { DeliveryService, type HandlerInput } from '../../examples/mls-delivery-service/delivery-service.js';
import { startHandlerServer } from '../../examples/mls-delivery-service/handler-server.js';
import { startHomeserver } from '../../examples/mls-delivery-service/homeserver.js';
import { MlsClient } from '../../examples/mls-delivery-service/mls-client.js';
import { MESSAGE_TYPE, encodeBase64, encodeIdentity } from '../../examples/mls-delivery-service/shapes.js';
import { play, tellStory } from '../../examples/mls-delivery-service/story.js';

const FOLDER = new URL('../../examples/mls-delivery-service/', import.meta.url);

describe('the example', () => {
  it('runs from a checkout', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('run.js', FOLDER))], { stdio: 'pipe' });
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('Alice encrypts a message; Bob reads: Hello, Bob!\n');
  });

  it('brings two clients to one epoch, although one of two commits was rejected', async () => {
    const told: string[] = [];
    const { epochs, secrets, rejected, heard } = await tellStory((line) => told.push(line));
    expect(epochs).toEqual([3n, 3n]);
    expect(secrets[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(secrets[1]).toBe(secrets[0]);
    expect(rejected).toEqual([{ reason: 'stale_epoch' }]);
    expect(heard).toEqual(['Hello, Bob!']);
    expect(told.filter((line) => line.endsWith(': stale_epoch'))).toHaveLength(1);
  });
});

describe('a client', () => {
  it('takes in once what the server says twice', async () => {
    const service = new DeliveryService();
    const twice = (input: HandlerInput) =>
      service.receive(input).flatMap((each) => (each.type === REJECTED ? [each] : [each, each]));
    const { alice, bob } = await openClients(twice);
    const { epochs, secrets, heard } = await play(alice, bob, () => undefined);
    expect(epochs).toEqual([3n, 3n]);
    expect(secrets[1]).toBe(secrets[0]);
    expect(heard).toEqual(['Hello, Bob!']);
  });

  it('heeds no commit that another user says it is', async () => {
    const service = new DeliveryService();
    const { alice, bob, home } = await openClients((input) => service.receive(input));
    const mallory = connect({ homeserver: home.url, accessToken: home.users[0]?.accessToken ?? '' });
    onTestFinished(() => mallory.close());
    const forged = {
      recipient: parseRecipient(bob.device.userId, '*'),
      type: parseEventType(COMMIT),
      content: parseContent('{"message":"AAAA"}'),
    };
    await sendMessage(mallory, forged, parseTransactionId('forged'));
    await expect(play(alice, bob, () => undefined)).resolves.toMatchObject({ epochs: [3n, 3n] });
  });
});

/** A homeserver with this service behind it, and a client for each of its users; all ends with the test. */
async function openClients(receive: DeliveryService['receive']) {
  const service = await startHandlerServer({ receive });
  onTestFinished(() => service.stop());
  const home = await startHomeserver(MESSAGE_TYPE, service.url);
  onTestFinished(() => home.stop());
  const clients = home.users.map(async (user) => {
    const place = { homeserver: home.url, server: `@:${home.serverName}` };
    const client = await MlsClient.open({ ...user, ...place, onRejected: () => undefined });
    onTestFinished(() => client.close());
    return client;
  });
  const [alice, bob] = await Promise.all(clients);
  if (alice === undefined || bob === undefined) throw new Error('there are no two users');
  return { alice, bob, home };
}

const ALICE = { userId: '@alice:example.org', deviceId: 'A' };
const BOB = { userId: '@bob:remote.example', deviceId: 'B' };
const suite = await getCiphersuiteImpl(
  getCiphersuiteFromName('MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519'),
);

describe('the delivery service', () => {
  let group: ClientState;
  let bobsPackage: KeyPackage;
  beforeAll(async () => {
    const [alice, bob] = await Promise.all([keysOf(ALICE), keysOf(BOB)]);
    const id = new TextEncoder().encode('!room:example.org');
    group = await createGroup(id, alice.publicPackage, alice.privatePackage, [], suite);
    bobsPackage = bob.publicPackage;
  });

  const addBob = () => ({
    extraProposals: [{ proposalType: 'add', add: { keyPackage: bobsPackage } } as const],
  });

  it('takes the first commit for an epoch, and tells the members, and who joins', async () => {
    const service = new DeliveryService();
    const { message, state } = await commit(group, addBob());
    const welcome = 'V2VsY29tZQ';
    expect(service.receive(from(ALICE, { message, commit_info: { welcome } }))).toEqual([
      { to: ALICE.userId, device: 'A', type: COMMIT, content: { message } },
      { to: BOB.userId, device: 'B', type: WELCOME, content: { welcome } },
    ]);

    const next = await commit(state);
    expect(service.receive(from(ALICE, { message: next.message }))).toEqual([
      { to: ALICE.userId, device: 'A', type: COMMIT, content: { message: next.message } },
      { to: BOB.userId, device: 'B', type: COMMIT, content: { message: next.message } },
    ]);
  });

  it('rejects a second commit for an epoch, and one for an epoch to come', async () => {
    const service = new DeliveryService();
    const [first, second] = [await commit(group), await commit(group)];
    const afterNext = await commit((await commit(first.state)).state);
    service.receive(from(ALICE, { message: first.message }));
    for (const { message } of [second, afterNext]) {
      expect(service.receive(from(ALICE, { message }))).toEqual([rejected('stale_epoch')]);
    }
  });

  it('says the same again of a commit that comes again', async () => {
    const service = new DeliveryService();
    const { message } = await commit(group);
    const answer = service.receive(from(ALICE, { message }));
    expect(service.receive(from(ALICE, { message }))).toEqual(answer);
  });

  it.each([
    ['another user', { ...ALICE, userId: '@mallory:example.org' }],
    ['another device', { ...ALICE, deviceId: 'M' }],
  ])('rejects a commit that %s has sent than the one that made it', async (_what, sender) => {
    const service = new DeliveryService();
    const { message, state } = await commit(group);
    service.receive(from(ALICE, { message }));
    const next = await commit(state);
    expect(service.receive(from(sender, { message: next.message }))).toEqual([rejected('not_a_member')]);
  });

  it('believes its homeserver about the device that sent, else the content, and needs one of the two', async () => {
    const { message } = await commit(group);
    const of = (parts: object, content: object) =>
      new DeliveryService().receive({
        ...{ sender: ALICE.userId, type: 't', via: 'client' },
        content: { message, ...content },
        ...parts,
      });
    expect(of({ device_id: 'A' }, { device_id: 'X' })).toMatchObject([{ device: 'A' }]);
    expect(of({}, { device_id: 'X' })).toMatchObject([{ device: 'X' }]);
    expect(of({}, {})).toEqual([rejected('not_a_member')]);
  });

  it('wants a Welcome where somebody joins, and nowhere else', async () => {
    const [adding, empty] = [await commit(group, addBob()), await commit(group)];
    const service = new DeliveryService();
    expect(service.receive(from(ALICE, { message: adding.message }))).toEqual([rejected('welcome')]);
    const both = { message: empty.message, commit_info: { welcome: 'V2VsY29tZQ' } };
    expect(service.receive(from(ALICE, both))).toEqual([rejected('welcome')]);
  });

  it.each([
    [null],
    [{}],
    [{ message: 1 }],
    [{ message: '' }],
    [{ message: 'AAAA' }],
    [{ message: 'AAEAAQ' }],
    [{ message: 'AAAA', commit_info: { welcome: 1 } }],
    [{ message: 'AAAA', device_id: 1 }],
  ])('cannot read %j', (content) => {
    expect(new DeliveryService().receive(from(ALICE, content))).toEqual([rejected('unreadable')]);
  });

  it('takes nothing but commits that it can look into, and that add devices or renew keys', async () => {
    const encrypted = await commit(group, { wireAsPublicMessage: false });
    const extensions: Proposal = {
      proposalType: 'group_context_extensions',
      groupContextExtensions: { extensions: [] },
    };
    const other = await commit(group, { extraProposals: [extensions] });
    const { privateMessage } = await createApplicationMessage(group, new Uint8Array(), suite);
    const application = encodeBase64(
      encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage }),
    );
    for (const message of [encrypted.message, other.message, application]) {
      const answer = new DeliveryService().receive(from(ALICE, { message }));
      expect(answer).toEqual([rejected('unsupported')]);
    }
  });
});

const COMMIT = 'org.matrix.msc4244.mls.commit';
const REJECTED = 'org.matrix.msc4244.mls.rejected';
const WELCOME = 'org.matrix.msc4244.mls.welcome';

function rejected(reason: string) {
  return { type: REJECTED, content: { reason } };
}

function from({ userId, deviceId }: typeof ALICE, content: unknown): HandlerInput {
  return {
    sender: userId,
    type: 'org.matrix.msc4244.mls.message',
    content,
    device_id: deviceId,
    via: 'client',
  };
}

function keysOf(device: typeof ALICE) {
  const credential = { credentialType: 'basic', identity: encodeIdentity(device) } as const;
  return generateKeyPackage(credential, defaultCapabilities(), defaultLifetime, [], suite);
}

/** A commit by the one member of the group, and the group after it. */
async function commit(state: ClientState, options: CreateCommitOptions = {}) {
  const context = { state, cipherSuite: suite };
  const made = await createCommit(context, { wireAsPublicMessage: true, ...options });
  return { message: encodeBase64(encodeMlsMessage(made.commit)), state: made.newState };
}
