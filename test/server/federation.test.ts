/** What the embedded homeserver sends to other servers, and how it answers them. */
import { describe, expect, it, vi } from 'vitest';
import { systemClock, type Clock } from '../../src/clock.js';
import type { Answer } from '../../src/subsystems/handler.js';
import { parseRecipient } from '../../src/todevice/message.js';
import { compactJson } from '../../src/wire/json.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { json } from '../http/loopback-server.js';
import { directToDevice, edusOf, openFederated, type FederatedOptions } from './federation-kit.js';
import { SERVER_USER } from './kit.js';

const TYPE = 'org.example.whatever';

describe('a message of a client', () => {
  it('R-9, R-14: goes to another server as the EDU of the proposal, with a fresh message ID', async () => {
    const { server, peer, peerUser, got } = await openFederated();
    const { alice } = server;
    for (let n = 0; n < 2; n += 1) {
      const reply = await server.send(alice, TYPE, { [peerUser]: { '': { example_content: 'value' } } });
      expect(reply).toMatchObject({ status: 200, text: '{}' });
    }
    const edus = (await got(2)) as { content: { message_id: string } }[];
    const ids = edus.map(({ content }) => content.message_id);
    expect(edus).toEqual(
      ids.map((message_id) => ({
        edu_type: 'm.direct_to_device',
        content: {
          message_id,
          sender: alice.userId,
          type: TYPE,
          messages: { [peerUser]: { '': { example_content: 'value' } } },
        },
      })),
    );
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(/^.{1,32}$/su);
    expect(peer.asked.at(-1)).toMatchObject({
      method: 'PUT',
      headers: { authorization: expect.stringContaining(`destination="${peer.name}"`) },
    });
  });

  it('R-10: to "*" of another server goes to its device "", and nobody asks for devices', async () => {
    const { server, peer, peerUser, got } = await openFederated();
    await server.send(server.alice, TYPE, { [peerUser]: { '*': { a: 1 } } });
    expect(await got(1)).toMatchObject([{ content: { messages: { [peerUser]: { '': { a: 1 } } } } }]);
    expect(peer.asked.map(({ path }) => path.replace(/[^/]*$/, ''))).toEqual([
      '/_matrix/federation/v1/send/',
    ]);
  });

  it('R-12: to "*" and "" of another server goes there once, and "" wins', async () => {
    const { server, peerUser, got } = await openFederated();
    await server.send(server.alice, TYPE, { [peerUser]: { '*': { star: 1 }, '': { empty: 1 } } });
    const edus = (await got(1)) as { content: { messages: unknown } }[];
    expect(edus.map(({ content }) => content.messages)).toEqual([{ [peerUser]: { '': { empty: 1 } } }]);
  });

  it('R-13: to no other device of another server goes anywhere', async () => {
    const { server, peerUser } = await openFederated();
    const reply = await server.send(server.alice, TYPE, { [peerUser]: { DEV: {} } });
    expect(reply).toMatchObject({ status: 200, text: '{}' });
    expect(await server.home.store.outbox.destinations()).toEqual([]);
  });

  it('R-15: goes to another server once, however often the client repeats it', async () => {
    const { server, peerUser, got } = await openFederated();
    const body = { messages: { [peerUser]: { '': {} } } };
    const put = (txn: string) =>
      server.call('PUT', `/v3/sendToDevice/${TYPE}/${txn}`, { token: server.alice.accessToken, body });
    for (const txn of ['1', '1', '2', '1']) expect((await put(txn)).text).toBe('{}');
    await got(2);
    await vi.waitFor(async () => expect(await server.home.store.outbox.destinations()).toEqual([]));
    expect(await got(0)).toHaveLength(2);
  });

  it('goes to users there with the devices that it names', async () => {
    const { server, peer, got } = await openFederated();
    const messages = { [`@zed:${peer.name}`]: { DEV: { a: 1 }, '*': { b: 2 } } };
    await server.send(server.alice, TYPE, messages);
    expect(await got(1)).toMatchObject([{ content: { messages } }]);
  });

  it.each([
    ['a fraction', '{"n":1.5}', 400, 'M_BAD_JSON', 'a number that is no integer'],
    ['a big integer', '{"n":9007199254740993}', 400, 'M_BAD_JSON', 'an integer outside'],
    ['half a surrogate pair', '{"n":"\\ud800"}', 400, 'M_BAD_JSON', 'surrogate pair'],
    ['too much', `{"n":"${'x'.repeat(65_500)}"}`, 413, 'M_TOO_LARGE', 'longer than 65536 bytes'],
    ['too deep an array', `{"n":${'['.repeat(94)}${']'.repeat(94)}}`, 400, 'M_BAD_JSON', 'nested too deeply'],
  ])(
    'with %s cannot go there, and is refused before anything is done',
    async (_what, content, ...refusal) => {
      const { server, peerUser } = await openFederated();
      const { alice, bob } = server;
      const body = `{"messages":{"${bob.userId}":{"*":{}},"${peerUser}":{"":${content}}}}`;
      const url = `/v3/sendToDevice/${TYPE}/1`;
      const reply = await server.call('PUT', url, { token: alice.accessToken, body });
      const [status, errcode, words] = refusal;
      expect([reply.status, reply.json.errcode]).toEqual([status, errcode]);
      expect(reply.json.error).toContain(words);
      expect(await server.waiting(bob)).toEqual([]);
      expect(await server.home.store.outbox.destinations()).toEqual([]);
    },
  );
});

describe('when so much waits for another server that no more is taken', () => {
  /** One message waits for a server that takes nothing, and that is all that may wait. */
  async function openFull(options: FederatedOptions = {}) {
    const store = openMemoryStore(undefined, { maxEdus: 1, maxBytes: 1000 });
    const federated = await openFederated({
      store,
      respond: (_asked, response) => json(response, 500, { errcode: 'M_UNKNOWN', error: 'down' }),
      ...options,
    });
    await store.outbox.append(federated.peer.name, [compactJson('{}')]);
    return { ...federated, store };
  }

  it('a message for it is refused before anything is done, and taken when there is room', async () => {
    const { server, peer, peerUser, store } = await openFull({ on: ['*=echo'] });
    const { alice, bob, log } = server;
    const messages = { [bob.userId]: { '*': {} }, [SERVER_USER]: { '': {} }, [peerUser]: { '': { n: 1 } } };
    const put = () =>
      server.call('PUT', `/v3/sendToDevice/${TYPE}/1`, { token: alice.accessToken, body: { messages } });
    const refused = await put();
    expect(refused).toMatchObject({
      status: 429,
      headers: { 'retry-after': '1' },
      json: {
        errcode: 'M_LIMIT_EXCEEDED',
        error: `too much waits for ${peer.name}`,
        retry_after_ms: 1000,
      },
    });
    expect(await server.waiting(bob)).toEqual([]);
    expect(log.map(({ outcome }) => outcome)).toEqual(['limited']);
    expect((await store.outbox.head(peer.name, 9)).edus).toEqual(['{}']);

    await store.outbox.seal(peer.name, { txnId: 't', originServerTsMs: 1, eduCount: 1 });
    await store.outbox.remove(peer.name, 't');
    expect((await put()).status).toBe(200);
    expect(await server.waiting(bob)).toHaveLength(1);
  });

  it('the answer of a handler is dropped, and the operator told', async () => {
    const failures: string[] = [];
    const { server, peer, peerUser, transact } = await openFull({
      on: ['*=reply:{}'],
      onHandlerFailure: (type, reason) => failures.push(`${type}: ${reason}`),
    });
    const edu = directToDevice(`@zed:${peer.name}`, TYPE, { [SERVER_USER]: { '': { device_id: 'D' } } });
    expect((await transact([edu])).status).toBe(200);
    expect(failures).toEqual([`${TYPE}: its answer is lost: too much waits for ${peer.name}`]);
    expect(server.log.map(({ direction, outcome }) => [direction, outcome])).toEqual([['in', 'handled']]);
    expect(peerUser).toBe(`@:${peer.name}`);
  });
});

describe('the end of a server', () => {
  it('lets what was accepted last arrive', async () => {
    const { server, peer, peerUser } = await openFederated();
    await server.send(server.alice, TYPE, { [peerUser]: { '': { last: true } } });
    await server.close();
    expect(edusOf(peer)).toMatchObject([{ content: { messages: { [peerUser]: { '': { last: true } } } } }]);
  });

  it('waits for nobody who does not answer', async () => {
    const waits: number[] = [];
    const sleep: Clock['sleep'] = async (ms) => void waits.push(ms); // no time passes
    const { server, peer, peerUser } = await openFederated({
      respond: () => undefined,
      clock: { ...systemClock, sleep },
    });
    await server.send(server.alice, TYPE, { [peerUser]: { '': {} } });
    await peer.arrived(1);
    await server.close();
    expect(waits).toEqual([2000]);
    expect(await server.home.store.outbox.destinations()).toEqual([peer.name]);
  });
});

describe('a message from another server', () => {
  it('R-28: of the server itself reaches a user', async () => {
    const { server, peerUser, transact } = await openFederated();
    const { bob } = server;
    const edu = directToDevice(peerUser, TYPE, { [bob.userId]: { [bob.deviceId]: { a: 1 } } });
    await transact([edu]);
    const event = { sender: peerUser, type: TYPE, content: { a: 1 } };
    expect(await server.waiting(bob)).toEqual([event]);
    const body = { extensions: { to_device: { enabled: true } } };
    const sliding = await server.call('POST', '/v4/sync', { token: bob.accessToken, body });
    expect(sliding.json.extensions.to_device.events).toEqual([event]);
  });

  it('R-27, R-35: is answered over federation, to the device that its content names or to all', async () => {
    const { server, peer, got, transact } = await openFederated({ on: ['*=reply:{"pong":1}'] });
    const zed = `@zed:${peer.name}`;
    const ask = (content: object) => directToDevice(zed, TYPE, { [SERVER_USER]: { '': content } });
    await transact([ask({ device_id: 'AAAABBBB' })]);
    await transact([ask({})]);
    const edus = (await got(2)) as { content: object }[];
    expect(edus.map(({ content }) => content)).toEqual(
      ['AAAABBBB', '*'].map((device) => ({
        sender: SERVER_USER,
        type: TYPE,
        message_id: expect.stringMatching(/^.{1,32}$/su) as string,
        messages: { [zed]: { [device]: { pong: 1 } } },
      })),
    );
    const out = { direction: 'out', sender: SERVER_USER, to: zed, type: TYPE, via: 'federation' };
    expect(server.log.filter(({ direction }) => direction === 'out')).toMatchObject([
      { ...out, device: 'AAAABBBB', outcome: 'handled', content: '{"pong":1}' },
      { ...out, device: '*', outcome: 'handled', content: '{"pong":1}' },
    ]);
  });

  it('is answered to whom the handler names, here and elsewhere', async () => {
    const messages = ['@alice:hs.test', '@bob:hs.test'].map((to) => ({ to, device: '*', content: { n: 1 } }));
    const { server, peer, got, transact } = await openFederated({
      exchange: async ({ body }) => {
        const { sender } = JSON.parse(body ?? '') as { sender: string };
        const elsewhere = { to: sender, device: 'AAAABBBB', content: { n: 2 } };
        return { status: 200, body: JSON.stringify({ messages: [...messages, elsewhere] }) };
      },
      on: ['*=http://handler.test/'],
    });
    const zed = `@zed:${peer.name}`;
    await transact([directToDevice(zed, TYPE, { [SERVER_USER]: { '': {} } })]);
    expect(await got(1)).toMatchObject([
      { content: { sender: SERVER_USER, type: TYPE, messages: { [zed]: { AAAABBBB: { n: 2 } } } } },
    ]);
    expect(await server.waiting(server.bob)).toEqual([
      { sender: SERVER_USER, type: TYPE, content: { n: 1 } },
    ]);
    expect(server.log.map(({ to, via }) => [to, via])).toEqual([
      [SERVER_USER, 'federation'],
      ['@alice:hs.test', 'client'],
      ['@bob:hs.test', 'client'],
      [zed, 'federation'],
    ]);
  });

  it('tells nobody of a batch that no other server could take', async () => {
    const failures: string[] = [];
    const answers: Answer[] = [
      { type: 'a', content: compactJson('{"n":1.5}'), recipient: parseRecipient('@zed:other.test', '*') },
      { type: 'a', content: compactJson('{"n":1}'), recipient: parseRecipient('@bob:hs.test', '*') },
      { type: 'b', content: compactJson('{"n":2}'), recipient: parseRecipient('@bob:hs.test', '*') },
    ];
    const { server } = await openFederated({
      handlers: [{ glob: '*', handler: async () => answers }],
      onHandlerFailure: (_type, reason) => failures.push(reason),
    });
    await server.send(server.alice, TYPE, { [SERVER_USER]: { '': {} } });
    expect(await server.waiting(server.bob)).toEqual([{ sender: SERVER_USER, type: 'b', content: { n: 2 } }]);
    expect(failures).toEqual([expect.stringContaining('a number that is no integer')]);
  });

  it('R-35: names no device to the handler', async () => {
    const seen: unknown[] = [];
    const handler = async (message: unknown) => void seen.push(message);
    const { peer, transact } = await openFederated({ handlers: [{ glob: '*', handler }] });
    const zed = `@zed:${peer.name}`;
    await transact([directToDevice(zed, TYPE, { [SERVER_USER]: { '': { device_id: 'DEV' } } })]);
    expect(seen).toEqual([
      { sender: zed, deviceId: undefined, type: TYPE, content: '{"device_id":"DEV"}', via: 'federation' },
    ]);
  });

  it('R-36: of the server itself is handled, and not answered', async () => {
    const { server, peerUser, transact } = await openFederated({ on: ['*=echo'] });
    await transact([
      directToDevice(peerUser, TYPE, { [SERVER_USER]: { '': { device_id: 'DEV' } } }),
      directToDevice(peerUser, 'mx2s.ping', { [SERVER_USER]: { '': { nonce: 'n' } } }),
    ]);
    expect(server.log.map(({ direction, outcome }) => [direction, outcome])).toEqual([
      ['in', 'handled'],
      ['in', 'handled'],
    ]);
    expect(await server.home.store.outbox.destinations()).toEqual([]);
  });

  it('R-32: is with its handler before its server is answered', async () => {
    const order: string[] = [];
    const handler = async () => void order.push('handler');
    const { peer, transact } = await openFederated({ handlers: [{ glob: '*', handler }] });
    await transact([directToDevice(`@zed:${peer.name}`, TYPE, { [SERVER_USER]: { '': {} } })]).then(() =>
      order.push('answer'),
    );
    expect(order).toEqual(['handler', 'answer']);
  });

  it('R-33: is answered with 200 whatever its handler does, and so are those beside it', async () => {
    const failures: string[] = [];
    const { server, peer, transact } = await openFederated({
      handlers: [{ glob: 'fails', handler: () => Promise.reject(new Error('broken')) }],
      on: ['*=reply:{}'],
      onHandlerFailure: (type, reason) => failures.push(`${type}: ${reason}`),
    });
    const edus = ['fails', 'other'].map((type) =>
      directToDevice(`@zed:${peer.name}`, type, { [SERVER_USER]: { '': {} } }),
    );
    expect((await transact(edus)).status).toBe(200);
    expect(failures).toEqual(['fails: broken']);
    expect(server.log.filter(({ direction }) => direction === 'in').map(({ outcome }) => outcome)).toEqual([
      'failed',
      'handled',
    ]);
  });

  it('R-33: gets no answer when that cannot go to another server, and the operator is told', async () => {
    const failures: string[] = [];
    const { server, peer, transact } = await openFederated({
      on: ['*=reply:{"n":1.5}'],
      onHandlerFailure: (type, reason) => failures.push(`${type}: ${reason}`),
    });
    const zed = `@zed:${peer.name}`;
    await transact([directToDevice(zed, TYPE, { [SERVER_USER]: { '': {} } })]);
    expect(failures).toEqual([
      `${TYPE}: the content for ${zed} cannot be sent to another server: it holds a number that is no integer`,
    ]);
    expect(server.log.map(({ direction }) => direction)).toEqual(['in']);
  });

  it('R-34: is dropped when its server sends too many, whoever of it sends, and its server is not told', async () => {
    const contents: string[] = [];
    const handler = async ({ content }: { content: string }) => void contents.push(content);
    const { server, peer, transact } = await openFederated({
      handlers: [{ glob: '*', handler }],
      rateLimitPerSecond: 2,
    });
    const edus = [1, 2, 3].map((n) =>
      directToDevice(`@user${String(n)}:${peer.name}`, TYPE, {
        [SERVER_USER]: { '': { n } },
        [server.bob.userId]: { '*': { n } },
      }),
    );
    expect(await transact(edus)).toMatchObject({ status: 200, text: '{"pdus":{}}' });
    expect(contents).toEqual(['{"n":1}', '{"n":2}']);
    expect(server.log.map(({ outcome }) => outcome).sort()).toEqual(['handled', 'handled', 'limited']);
    expect(await server.waiting(server.bob)).toHaveLength(3);
  });
});
