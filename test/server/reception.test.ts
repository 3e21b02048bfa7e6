import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Peer } from '../federation/peer.js';
import { makeTempDir } from '../kit/temp-dir.js';
import { SERVER_USER } from './kit.js';
import { directToDevice, openFederated } from './federation-kit.js';

const TYPE = 'org.example.x';

describe('a transaction', () => {
  it('is answered once it is taken in', async () => {
    const { server, peer, transact } = await openFederated();
    const edu = directToDevice(`@zed:${peer.name}`, TYPE, { [server.bob.userId]: { '*': { a: 1 } } });
    expect(await transact([edu])).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(await server.waiting(server.bob)).toEqual([
      { sender: `@zed:${peer.name}`, type: TYPE, content: { a: 1 } },
    ]);
  });

  it('may have no EDUs at all', async () => {
    const { transact } = await openFederated();
    expect((await transact([], { fields: { edus: undefined } })).status).toBe(200);
  });

  it('gets the same answer when it comes again, and nothing happens', async () => {
    const { server, peer, transact } = await openFederated();
    const edu = () => directToDevice(`@zed:${peer.name}`, TYPE, { [server.bob.userId]: { '*': {} } });
    await transact([edu()], { txnId: 'same' });
    const again = await transact([edu()], { txnId: 'same', fields: { pdus: [{ event_id: '$other' }] } });
    expect(again).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(await server.waiting(server.bob)).toHaveLength(1);
  });

  it('is refused event by event: this server is in no room', async () => {
    const { transact } = await openFederated();
    const pdus = [{ event_id: '$a:x' }, { event_id: '$a:x' }, { event_id: '__proto__' }, { type: 'm.x' }];
    const reply = await transact([], { fields: { pdus } });
    const error = 'this server is in no room';
    expect([reply.status, reply.text]).toEqual([
      200,
      `{"pdus":{"$a:x":{"error":"${error}"},"__proto__":{"error":"${error}"}}}`,
    ]);
  });

  it('is not failed by an EDU that makes no sense, nor are the EDUs beside it', async () => {
    const { server, peer, transact } = await openFederated();
    const sender = `@zed:${peer.name}`;
    const bad = [
      null,
      'text',
      [],
      {},
      { edu_type: 'm.direct_to_device' },
      { edu_type: 'm.direct_to_device', content: 'text' },
      directToDevice(sender, TYPE, []),
      directToDevice(sender, TYPE, { [server.bob.userId]: 'text' }),
      directToDevice('nobody', TYPE, {}),
      directToDevice(sender, TYPE, {}, 'x'.repeat(33)),
      { edu_type: 'm.direct_to_device', content: { sender, type: 5, message_id: 'm', messages: {} } },
    ];
    const good = (n: number) => directToDevice(sender, TYPE, { [server.bob.userId]: { '*': { n } } });
    const reply = await transact([good(1), ...bad, good(2)]);
    expect(reply).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(await server.waiting(server.bob)).toMatchObject([{ content: { n: 1 } }, { content: { n: 2 } }]);
    expect(server.home.droppedEdus).toEqual({ other_edu: 0, bad_shape: bad.length, spoofed: 0 });
  });

  it('drops content that is no object, and who is not there', async () => {
    const { server, peer, transact } = await openFederated();
    const { alice, bob } = server;
    const messages = {
      [alice.userId]: { '*': 'text', NOWHERE: {} },
      [bob.userId]: { '*': null, [bob.deviceId]: { a: 1 } },
      [SERVER_USER]: { '': 5 },
      '@nobody:hs.test': { '*': {} },
      '@c:elsewhere.test': { '*': {} },
      nonsense: { '*': {} },
    };
    expect((await transact([directToDevice(`@zed:${peer.name}`, TYPE, messages)])).status).toBe(200);
    expect(await server.waiting(alice)).toEqual([]);
    expect(await server.waiting(bob)).toMatchObject([{ content: { a: 1 } }]);
    expect(server.log).toEqual([]);
    expect(await server.home.store.outbox.destinations()).toEqual([]);
  });

  it('fails as a whole when we do, and is taken in when it comes again, each EDU once', async () => {
    const { server, peer, transact } = await openFederated({ onFault: () => undefined });
    const { store } = server.home;
    const edus = [1, 2].map((n) =>
      directToDevice(`@zed:${peer.name}`, TYPE, { [server.bob.userId]: { '*': { n } } }),
    );
    const deliver = store.deliver.bind(store);
    const failing = vi.spyOn(store, 'deliver').mockImplementationOnce(deliver);
    failing.mockRejectedValueOnce(new Error('the disk is full'));
    const first = await transact(edus, { txnId: 'same' });
    expect([first.status, first.json.errcode]).toEqual([500, 'M_UNKNOWN']);
    expect((await transact(edus, { txnId: 'same' })).status).toBe(200);
    expect(await server.waiting(server.bob)).toMatchObject([{ content: { n: 1 } }, { content: { n: 2 } }]);
  });

  it('shows that its server is back, and what waits for it is sent', async () => {
    const { server, peer, transact } = await openFederated();
    const heardFrom = vi.spyOn(server.home.federation.outbox, 'heardFrom');
    await transact([]);
    expect(heardFrom).toHaveBeenCalledExactlyOnceWith(peer.name);
  });
});

describe('an EDU', () => {
  it.each([
    ['of a user elsewhere', '@zed:elsewhere.test'],
    ['of another server', '@:elsewhere.test'],
    ['of our own user', '@alice:hs.test'],
    ['of our own server', SERVER_USER],
  ])('R-16: with a sender %s is dropped, and told', async (_whose, sender) => {
    const { server, transact } = await openFederated({ on: ['*=echo'] });
    const { bob } = server;
    const forUser = directToDevice(sender, TYPE, { [bob.userId]: { '*': { secret: 1 } } });
    const forServer = directToDevice(sender, TYPE, {
      '@x:hs.test': {},
      [SERVER_USER]: { '': { secret: 1 } },
    });
    expect(await transact([forUser, forServer])).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(await server.waiting(bob)).toEqual([]);
    expect(await server.waiting(server.alice)).toEqual([]);
    const facts = { direction: 'in', device: '', type: TYPE, via: 'federation', outcome: 'spoofed', sender };
    expect(server.log).toEqual([
      { ...facts, to: bob.userId },
      { ...facts, to: SERVER_USER },
    ]);
    expect(server.home.droppedEdus.spoofed).toBe(2);
  });

  it('R-17: for the server is dispatched, also when it says "*"', async () => {
    const contents: string[] = [];
    const handler = async ({ content }: { content: string }) => void contents.push(content);
    const { peer, transact } = await openFederated({ handlers: [{ glob: '*', handler }] });
    const edus = ['', '*'].map((device) =>
      directToDevice(`@zed:${peer.name}`, TYPE, { [SERVER_USER]: { [device]: { device } } }),
    );
    await transact(edus);
    expect(contents).toEqual(['{"device":""}', '{"device":"*"}']);
  });

  it('R-17: is dispatched once when it says both, and "" wins; other devices of the server do not exist', async () => {
    const contents: string[] = [];
    const handler = async ({ content }: { content: string }) => void contents.push(content);
    const { server, peer, transact } = await openFederated({ handlers: [{ glob: '*', handler }] });
    const messages = { [SERVER_USER]: { '*': { star: 1 }, '': { empty: 1 }, DEV: { dev: 1 } } };
    await transact([directToDevice(`@zed:${peer.name}`, TYPE, messages)]);
    expect(contents).toEqual(['{"empty":1}']);
    expect(server.log.map(({ device, outcome }) => [device, outcome])).toEqual([
      ['DEV', 'dropped'],
      ['', 'handled'],
    ]);
  });

  it('R-18: is taken once by its origin and message ID, and told', async () => {
    const contents: string[] = [];
    const handler = async ({ content }: { content: string }) => void contents.push(content);
    const { server, peer, transact } = await openFederated({ handlers: [{ glob: '*', handler }] });
    const edu = (n: number, id: string) => {
      const messages = { [SERVER_USER]: { '': { n } }, [server.bob.userId]: { '*': { n } } };
      return directToDevice(`@zed:${peer.name}`, TYPE, messages, id);
    };
    await transact([edu(1, 'same'), edu(2, 'same')]);
    expect((await transact([edu(3, 'same'), edu(4, 'other')])).status).toBe(200);
    expect(contents).toEqual(['{"n":1}', '{"n":4}']);
    expect(await server.waiting(server.bob)).toMatchObject([{ content: { n: 1 } }, { content: { n: 4 } }]);
    expect(server.log.map(({ outcome }) => outcome).sort()).toEqual([
      'duplicate',
      'duplicate',
      'handled',
      'handled',
    ]);
  });

  it('R-18: is known again by the next life of the server, and so is its transaction', async () => {
    const contents: string[] = [];
    const handler = async ({ content }: { content: string }) => void contents.push(content);
    const { path, remove } = await makeTempDir();
    onTestFinished(remove);
    const open = async (peer?: Peer) =>
      openFederated({
        store: await openSqliteStore(join(path, 'data.db')),
        handlers: [{ glob: '*', handler }],
        ...(peer === undefined ? {} : { peer }),
      });
    const first = await open();
    const edu = (n: number, id: string) =>
      directToDevice(first.peerUser, TYPE, { [SERVER_USER]: { '': { n } } }, id);
    await first.transact([edu(1, 'same')], { txnId: 'same' });
    await first.server.close();

    const second = await open(first.peer);
    await second.transact([edu(2, 'same')], { txnId: 'other' });
    await second.transact([edu(3, 'other')], { txnId: 'same' });
    expect(contents).toEqual(['{"n":1}']);
    expect(second.server.log.map(({ outcome }) => outcome)).toEqual(['duplicate']);
  });

  it('R-19: of another type is dropped, with no trace but a count', async () => {
    const { server, transact } = await openFederated();
    const deliver = vi.spyOn(server.home.store, 'deliver');
    const edus = ['m.typing', 'm.presence', 'org.example.edu'].map((edu_type) => ({
      edu_type,
      content: { secret: 1 },
    }));
    expect(await transact(edus)).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(server.home.droppedEdus).toEqual({ other_edu: 3, bad_shape: 0, spoofed: 0 });
    expect(server.log).toEqual([]);
    expect(deliver).not.toHaveBeenCalled();
  });

  it('R-19: for the server that nobody handles is dropped, with no trace of its content', async () => {
    const { server, peer, transact } = await openFederated();
    const sender = `@zed:${peer.name}`;
    const edu = directToDevice(sender, 'org.example.unknown', { [SERVER_USER]: { '': { secret: 1 } } });
    expect((await transact([edu])).status).toBe(200);
    expect(server.log).toEqual([
      {
        direction: 'in',
        sender,
        to: SERVER_USER,
        device: '',
        type: 'org.example.unknown',
        via: 'federation',
        outcome: 'dropped',
      },
    ]);
    expect(await server.home.store.newestPosition()).toBe(0);
  });

  it('R-11: that tells of devices of a server is dropped', async () => {
    const { server, peer, peerUser, transact } = await openFederated();
    const content = { user_id: peerUser, device_id: 'DEV', stream_id: 1, keys: {} };
    const edus = [
      { edu_type: 'm.device_list_update', content },
      { edu_type: 'm.device_list_update', content: { ...content, user_id: SERVER_USER } },
    ];
    expect((await transact(edus)).status).toBe(200);
    const body = { device_keys: { [peerUser]: [], [SERVER_USER]: [] } };
    const keys = await server.call('POST', '/v3/keys/query', { token: server.alice.accessToken, body });
    expect(keys.json.device_keys).toEqual({ [peerUser]: {}, [SERVER_USER]: {} });
    expect(peer.asked.filter(({ path }) => path.includes('/devices/'))).toEqual([]);
    expect(await server.home.store.outbox.destinations()).toEqual([]); // and none is sent
  });
});
