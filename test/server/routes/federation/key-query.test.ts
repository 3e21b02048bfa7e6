import { describe, expect, it } from 'vitest';
import { openFederated } from '../../federation-kit.js';
import { openTestServer, SERVER } from '../../kit.js';

const QUERY = '/_matrix/key/v2/query';

interface Signed {
  readonly server_name: string;
  readonly signatures: Record<string, Record<string, string>>;
}

/** Which servers' keys there are, and who has signed them. */
function signersIn(reply: { json: { server_keys: Signed[] } }): [string, string[]][] {
  return reply.json.server_keys.map(({ server_name, signatures }) => [server_name, Object.keys(signatures)]);
}

describe('the notary', () => {
  it('gives the keys of another server with a signature of its own, however it is asked', async () => {
    const { server, peer } = await openFederated();
    const name = encodeURIComponent(peer.name);
    for (const path of [`${QUERY}/${name}`, `${QUERY}/${name}/`, `${QUERY}/${name}/ed25519:peer?x=1`]) {
      const reply = await server.call('GET', path);
      expect([reply.status, signersIn(reply)]).toEqual([200, [[peer.name, [peer.name, SERVER]]]]);
    }
    const body = { server_keys: { [peer.name]: {}, [SERVER]: { 'ed25519:x': {} } } };
    const reply = await server.call('POST', QUERY, { body });
    expect(signersIn(reply)).toEqual([
      [peer.name, [peer.name, SERVER]],
      [SERVER, [SERVER]],
    ]);
    expect(peer.asked).toHaveLength(1);
  });

  it('leaves out whose keys it cannot get', async () => {
    const server = await openTestServer();
    expect((await server.call('GET', `${QUERY}/nowhere.test`)).json).toEqual({ server_keys: [] });
    const body = { server_keys: { 'nowhere.test': {}, 'no name': {}, '127.0.0.1:1': {} } };
    expect((await server.call('POST', QUERY, { body })).json).toEqual({ server_keys: [] });
  });

  it.each([
    ['GET', `${QUERY}/no%20name`, undefined, 'M_INVALID_PARAM'],
    ['GET', `${QUERY}/nowhere.test?minimum_valid_until_ts=soon`, undefined, 'M_INVALID_PARAM'],
    ['POST', QUERY, {}, 'M_BAD_JSON'],
    ['POST', QUERY, 'nope', 'M_NOT_JSON'],
  ])('refuses %s %s %j', async (method, path, body, errcode) => {
    const server = await openTestServer();
    const reply = await server.call(method, path, { body });
    expect([reply.status, reply.json.errcode]).toEqual([400, errcode]);
  });
});
