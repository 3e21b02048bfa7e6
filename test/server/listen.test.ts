import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { systemClock, type Clock } from '../../src/clock.js';
import { startServer, type ServerOptions } from '../../src/server/listen.js';
import { parseHandlerRule } from '../../src/subsystems/table.js';

async function start(options: ServerOptions = {}) {
  const server = await startServer(options);
  onTestFinished(() => server.stop());
  return server;
}

describe('startServer', () => {
  it('carries a message to the server and its answer back', async () => {
    const server = await start({ handlers: [parseHandlerRule('org.example.*=echo')] });
    const [alice] = server.users;
    const call = async (method: string, path: string, body?: string) => {
      const headers = { authorization: `Bearer ${alice?.accessToken}` };
      const response = await fetch(`${server.homeserver}/_matrix/client${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body }),
      });
      return response.text();
    };
    const serverUser = `@:${server.serverName}`;
    const body = `{"messages":{"${serverUser}":{"":{"big":123456789012345678901234567890}}}}`;

    expect(await call('PUT', '/v3/sendToDevice/org.example.x/1', body)).toBe('{}');
    await server.settled();

    expect(await call('GET', '/v3/sync')).toBe(
      `{"next_batch":"t1","to_device":{"events":[{"sender":"${serverUser}","type":"org.example.x",` +
        `"content":{"big":123456789012345678901234567890}}]}}`,
    );
  });

  it('is called by its host and port', async () => {
    const server = await start();
    expect(server.homeserver).toBe(`http://${server.serverName}`);
    expect(server.serverName).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(server.users.map(({ userId }) => userId)).toEqual([
      `@alice:${server.serverName}`,
      `@bob:${server.serverName}`,
    ]);
  });

  it('answers requests that come while it is being opened', async () => {
    const first = await start();
    const port = Number(new URL(first.homeserver).port);
    await first.stop();
    const opening = startServer({ port, users: [{ name: 'slow', password: 'hashed with scrypt' }] });
    const early = firstAnswer(`http://127.0.0.1:${port}/_matrix/client/versions`);
    const server = await opening;
    onTestFinished(() => server.stop());
    expect((await early).status).toBe(200);
  });

  it('says where it cannot listen', async () => {
    const { serverName } = await start();
    const port = Number(serverName.split(':')[1]);
    await expect(startServer({ port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is taken`,
    );
  });

  it('takes no client that goes away for a bug of its own', async () => {
    const bugs: unknown[] = [];
    const server = await start({ onFault: (error) => bugs.push(error) });
    const socket = connect(Number(server.serverName.split(':')[1]), '127.0.0.1');
    const headers = `Host: h\r\nAuthorization: Bearer ${server.users[0]?.accessToken}\r\nContent-Length: 99\r\n`;
    socket.write(`PUT /_matrix/client/v3/sendToDevice/t/1 HTTP/1.1\r\n${headers}\r\n{"mess`);
    socket.end();
    socket.resume();
    await once(socket, 'close');
    await server.stop();
    expect(bugs).toEqual([]);
  });

  it('ends long polls when it stops', async () => {
    let onHeld: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (onHeld = resolve));
    const sleep: Clock['sleep'] = (ms, signal) => {
      onHeld(); // nothing but the long poll waits
      return systemClock.sleep(ms, signal);
    };
    const server = await startServer({ clock: { ...systemClock, sleep } });
    const headers = { authorization: `Bearer ${server.users[0]?.accessToken}` };
    const poll = fetch(`${server.homeserver}/_matrix/client/v3/sync?since=t0&timeout=60000`, { headers });
    await held;
    await server.stop();
    expect(await (await poll).text()).toBe('{"next_batch":"t0"}');
  });
});

/** Asks again as long as nobody listens. */
async function firstAnswer(url: string): Promise<Response> {
  for (;;) {
    try {
      return await fetch(url);
    } catch {
      // refused: not yet
    }
  }
}
