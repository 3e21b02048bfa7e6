/** Against what is no NATS server; a real one is in test/interop/nats.test.ts. */
import { defaultMaxListeners } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { UnreachableError } from '../../src/subsystems/handler.js';
import { openNats, parseNatsCredentials } from '../../src/subsystems/nats-connections.js';
import { startNatsBroker } from '../kit/nats-broker.js';

async function startTcp(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return server;
}

function serviceAt(server: Server) {
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, subject: 'a.b' };
}

function open(connectTimeoutMs?: number) {
  const nats = openNats({ timeoutMs: 1000, connectTimeoutMs });
  onTestFinished(() => nats.close());
  return nats;
}

describe('request', () => {
  it('fails where nothing listens', async () => {
    const server = await startTcp(() => undefined);
    const service = serviceAt(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await open()
      .request(service, '{}')
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({
      service: `nats://127.0.0.1:${String(service.port)}/a.b`,
      message: expect.stringMatching(
        new RegExp(`^cannot connect to NATS at 127\\.0\\.0\\.1:${String(service.port)}: .*ECONNREFUSED`),
      ),
    });
  });

  it('keeps nothing of attempts that failed', async () => {
    const server = await startTcp(() => undefined);
    const service = serviceAt(server);
    await new Promise((resolve) => server.close(resolve));
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    onTestFinished(() => void process.off('warning', onWarning));
    const nats = open();
    for (let tries = 0; tries <= defaultMaxListeners; tries += 1) {
      await expect(nats.request(service, '{}')).rejects.toThrow('ECONNREFUSED');
    }
    await new Promise((resolve) => setImmediate(resolve)); // warnings are told later
    expect(warnings).toEqual([]);
  });

  it('fails where a name has several addresses, and nothing listens', async () => {
    const server = await startTcp(() => undefined);
    const service = { ...serviceAt(server), host: 'localhost' };
    await new Promise((resolve) => server.close(resolve));
    await expect(open().request(service, '{}')).rejects.toThrow('ECONNREFUSED');
  });

  it('R-33: fails where something takes connections and is silent, and leaves none behind', async () => {
    let closed: Promise<void> | undefined;
    const server = await startTcp((socket) => {
      closed = new Promise((resolve) => socket.once('close', () => resolve()));
      socket.resume();
    });
    await expect(open(50).request(serviceAt(server), '{}')).rejects.toThrow('it said nothing within 50 ms');
    expect(closed).toBeDefined();
    await closed;
  });

  it('fails where something hangs up', async () => {
    const server = await startTcp((socket) => socket.end());
    await expect(open().request(serviceAt(server), '{}')).rejects.toThrow('it hung up');
  });

  it('fails where something else answers', async () => {
    const server = await startTcp((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    await expect(open().request(serviceAt(server), '{}')).rejects.toThrow('unexpected response from server');
  });

  it('makes one attempt for all who wait, and a new one for the next', async () => {
    let connections = 0;
    const server = await startTcp((socket) => {
      connections += 1;
      socket.end();
    });
    const nats = open();
    const both = [1, 2].map(() => nats.request(serviceAt(server), '{}'));
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(connections).toBe(1);
    await expect(nats.request(serviceAt(server), '{}')).rejects.toThrow('it hung up');
    expect(connections).toBe(2);
  });

  it('ends with the server, and takes nothing after it', async () => {
    const server = await startTcp((socket) => socket.resume());
    const nats = openNats({ timeoutMs: 1000 });
    const waiting = nats.request(serviceAt(server), '{}');
    waiting.catch(() => undefined);
    await nats.close();
    await expect(waiting).rejects.toThrow('cannot connect');
    await expect(nats.request(serviceAt(server), '{}')).rejects.toThrow('the server stops');
  });
});

describe('join', () => {
  it('answers what the group is asked, and shares it', async () => {
    const { port } = await startNatsBroker();
    const service = { host: '127.0.0.1', port, subject: 'a.b' };
    const taken = [0, 0];
    for (const n of [0, 1]) {
      const member = await open().join(service, 'workers', async (text) => {
        taken[n] = (taken[n] ?? 0) + 1;
        return { text: `${text} back` };
      });
      onTestFinished(() => member.leave());
    }
    const nats = open();
    const replies = await Promise.all(['1', '2', '3', '4'].map((text) => nats.request(service, text)));
    expect(replies).toEqual(['1 back', '2 back', '3 back', '4 back']);
    expect(taken).toEqual([2, 2]);
  });

  it.each([
    ['what failed', async () => ({ text: '', fault: 'out of\norder' }), 'a.b on NATS says: out of order'],
    ['what is too long', async () => ({ text: 'x'.repeat(2 ** 20 + 1) }), 'a.b on NATS says: '],
  ])('says so of %s', async (_what, reply, said) => {
    const { port } = await startNatsBroker();
    const service = { host: '127.0.0.1', port, subject: 'a.b' };
    const member = await open().join(service, 'workers', reply);
    const error = await open()
      .request(service, '{}')
      .catch((thrown: unknown) => thrown);
    expect(error).not.toBeInstanceOf(UnreachableError); // it is there, and has failed
    expect(error).toMatchObject({ message: expect.stringContaining(said) });
    await member.leave();
  });

  it('replies to what it has taken before it leaves, and takes no more', async () => {
    const { port } = await startNatsBroker();
    const service = { host: '127.0.0.1', port, subject: 'a.b' };
    let taken: () => void = () => undefined;
    let finish: () => void = () => undefined;
    const begun = new Promise<void>((resolve) => (taken = resolve));
    const done = new Promise<void>((resolve) => (finish = resolve));
    const member = await open().join(service, 'workers', async () => {
      taken();
      await done;
      return { text: 'late' };
    });
    const nats = open();
    const asked = nats.request(service, '{}');
    await begun;
    const left = member.leave();
    finish();
    expect(await asked).toBe('late');
    await left;
    const error = await nats.request(service, '{}').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject({ message: expect.stringContaining('no responders') });
  });

  it('says when the server is gone', async () => {
    const broker = await startNatsBroker();
    const service = { host: '127.0.0.1', port: broker.port, subject: 'a.b' };
    const member = await open().join(service, 'workers', async () => ({ text: '' }));
    await broker.close();
    expect(await member.over).toMatch(/clos/);
    await member.leave();
  });

  it('fails where it is forbidden', async () => {
    const broker = await startNatsBroker();
    broker.forbidden.add('a.b');
    const service = { host: '127.0.0.1', port: broker.port, subject: 'a.b' };
    await expect(open().join(service, 'workers', async () => ({ text: '' }))).rejects.toThrow(
      /^cannot subscribe to a\.b on NATS: .*permissions violation/i,
    );
  });

  it('fails where nothing listens, and once it is closed', async () => {
    const server = await startTcp(() => undefined);
    const service = serviceAt(server);
    await new Promise((resolve) => server.close(resolve));
    const nats = open();
    await expect(nats.join(service, 'workers', async () => ({ text: '' }))).rejects.toThrow('ECONNREFUSED');
    await nats.close();
    await expect(nats.join(service, 'workers', async () => ({ text: '' }))).rejects.toThrow(
      'the server stops',
    );
  });
});

describe('parseNatsCredentials', () => {
  const CREDENTIALS = [
    '-----BEGIN NATS USER JWT-----',
    'a.jwt.here',
    '------END NATS USER JWT------',
    '',
    '-----BEGIN USER NKEY SEED-----',
    'SUSECRET',
    '------END USER NKEY SEED------',
    '',
  ];

  it.each(['\n', '\r\n'])('takes a file with lines that end in %j', (end) => {
    expect(parseNatsCredentials(CREDENTIALS.join(end), 'a.creds')).toBe(CREDENTIALS.join('\n'));
  });

  it.each([
    ['nothing', ''],
    ['a seed alone', CREDENTIALS.slice(4).join('\n')],
    ['a JWT alone', CREDENTIALS.slice(0, 3).join('\n')],
    ['an empty block', CREDENTIALS.join('\n').replace('SUSECRET', '')],
  ])('refuses %s, and does not show it', (_what, text) => {
    const parse = () => parseNatsCredentials(text, 'a.creds');
    expect(parse).toThrow(InvalidInputError);
    expect(parse).toThrow('a.creds holds no NATS credentials');
    expect(parse).not.toThrow('SUSECRET');
  });
});
