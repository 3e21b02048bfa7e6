import { describe, expect, it } from 'vitest';
import { usableUntilMs, verifyServerKeys } from '../../../../src/federation/server-keys.js';
import { parseJson } from '../../../../src/wire/json.js';
import { keyOf } from '../../../federation/peer.js';
import { openTestServer, SERVER } from '../../kit.js';

const HOUR_MS = 3_600_000;

describe('the keys of the server', () => {
  it.each(['server', 'server/', 'server/ed25519:a_1', 'server?x=1'])('are published at %s', async (path) => {
    const signingKeys = [keyOf('a_1', 1), keyOf('a_2', 2)] as const;
    const server = await openTestServer({ federation: { signingKeys } });
    const reply = await server.call('GET', `/_matrix/key/v2/${path}`);
    expect(reply.status).toBe(200);
    expect(Object.keys(reply.json.signatures[SERVER])).toEqual(['ed25519:a_1', 'ed25519:a_2']);
    const keys = await verifyServerKeys(parseJson(reply.text), SERVER, Date.now());
    if ('fault' in keys) throw new Error(keys.fault);
    expect([...keys.verifyKeys.keys()]).toEqual(['ed25519:a_1', 'ed25519:a_2']);
    expect(usableUntilMs(keys)).toBeGreaterThan(Date.now() + 23 * HOUR_MS);
  });

  it('are made up, and stay the same as long as the server lives', async () => {
    const server = await openTestServer();
    const ask = async () => (await server.call('GET', '/_matrix/key/v2/server')).json.verify_keys;
    const first = await ask();
    expect(Object.keys(first)).toEqual([expect.stringMatching(/^ed25519:a_[a-zA-Z]{4}$/)]);
    expect(await ask()).toEqual(first);
  });
});
