/** The SDK that most web clients use, unchanged, against our homeserver. */
import { ClientEvent, createClient, type MatrixClient, type MatrixEvent } from 'matrix-js-sdk';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseServerName } from '../../src/ids/server-name.js';
import { startServer, type RunningServer } from '../../src/server/listen.js';

const ALICE = { name: 'alice', password: 'a password of alice' };

let server: RunningServer;
let client: MatrixClient;

beforeAll(async () => {
  // The SDK tells the console what it does, at length.
  for (const method of ['debug', 'info', 'log', 'warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation(() => undefined);
  }
  server = await startServer({ serverName: parseServerName('example.org'), users: [ALICE] });
});
afterEach(() => client.stopClient());
afterAll(() => server.stop());

describe.each([
  ['without encryption', false],
  ['with encryption', true],
])('matrix-js-sdk %s', (_name, withCrypto) => {
  it('logs in, sends to the server, receives its answer, logs out', async () => {
    const session = await createClient({ baseUrl: server.homeserver }).loginRequest({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: ALICE.name },
      password: ALICE.password,
    });
    client = createClient({
      baseUrl: server.homeserver,
      userId: session.user_id,
      deviceId: session.device_id,
      accessToken: session.access_token,
    });
    if (withCrypto) await client.initRustCrypto({ useIndexedDB: false });
    const answer = nextToDeviceEvent(client, 'mx2s.pong');
    await client.startClient();

    const ping = { nonce: 'n-1', device_id: session.device_id };
    await client.sendToDevice('mx2s.ping', new Map([['@:example.org', new Map([['', ping]])]]));
    const event = await answer;
    expect(event.getSender()).toBe('@:example.org');
    expect(event.getContent()).toMatchObject({ nonce: 'n-1', server: 'example.org' });

    await client.logout(true);
    await expect(client.whoami()).rejects.toMatchObject({ httpStatus: 401, errcode: 'M_UNKNOWN_TOKEN' });
  });
});

function nextToDeviceEvent(of: MatrixClient, type: string): Promise<MatrixEvent> {
  return new Promise((resolve) => {
    of.on(ClientEvent.ToDeviceEvent, (event) => {
      if (event.getType() === type) resolve(event);
    });
  });
}
