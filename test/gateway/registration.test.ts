import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { systemChance } from '../../src/chance.js';
import { createRegistration, parseRegistration } from '../../src/gateway/registration.js';
import { parseServerName } from '../../src/ids/server-name.js';

const HOMESERVER = 'https://matrix.example.org';
const place = (name: string) => ({ homeserver: HOMESERVER, serverName: parseServerName(name) });

describe('createRegistration', () => {
  it('claims the server user alone, and wants nothing pushed', async () => {
    expect(parse(await createRegistration(place('example.org'), systemChance))).toEqual({
      id: 'mx2s-gateway',
      url: null,
      as_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      hs_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      sender_localpart: '_mx2s_gateway',
      rate_limited: false,
      namespaces: { users: [{ exclusive: true, regex: '^@:example\\.org$' }], rooms: [], aliases: [] },
      'mx2s.gateway': { homeserver: HOMESERVER, server_name: 'example.org' },
    });
  });

  it.each(['example.org', 'localhost:8448', '[::1]:8448', '1.2.3.4'])(
    'has a namespace with the server user of %s and no other user',
    async (name) => {
      const { namespaces } = parse(await createRegistration(place(name), systemChance)) as {
        namespaces: { users: [{ regex: string }] };
      };
      const regex = new RegExp(namespaces.users[0].regex);
      expect(`@:${name}`).toMatch(regex);
      for (const other of [`@a:${name}`, `@:${name}x`, `@:${name}:1`, `x@:${name}`]) {
        expect(other).not.toMatch(regex);
      }
      expect(`@:${name.replace('.', 'x')}` === `@:${name}`).toBe(!name.includes('.'));
      if (name.includes('.')) expect(`@:${name.replace('.', 'x')}`).not.toMatch(regex);
    },
  );

  it('makes other tokens each time', async () => {
    const tokens = async () => {
      const { as_token, hs_token } = parse(await createRegistration(place('a.org'), systemChance)) as Record<
        string,
        string
      >;
      return [as_token, hs_token];
    };
    expect(new Set([...(await tokens()), ...(await tokens())]).size).toBe(4);
  });
});

describe('parseRegistration', () => {
  it('reads what createRegistration wrote', async () => {
    const text = await createRegistration(place('example.org'), systemChance);
    const { as_token } = parse(text) as Record<string, string>;
    expect(await parseRegistration(text, 'mx2s.yaml')).toEqual({
      asToken: as_token,
      homeserver: HOMESERVER,
      serverName: 'example.org',
    });
  });

  it('reads one written by hand, which says nothing of the homeserver', async () => {
    expect(await parseRegistration('{"as_token": "secret", "url": null}', 'mx2s.yaml')).toEqual({
      asToken: 'secret',
      homeserver: undefined,
      serverName: undefined,
    });
  });

  it.each([
    ['', /no as_token/],
    ['just words', /no as_token/],
    ['as_token: 5', /no as_token/],
    ['as_token: "se cret"', /access token/],
    ['as_token: secret\n"', /no YAML/],
    ['as_token: secret\nmx2s.gateway: {server_name: "a b"}', /server name/],
    ['as_token: secret\nmx2s.gateway: {homeserver: "ftp://a"}', /homeserver URL/],
  ])('refuses %j, and shows no token', async (text, message) => {
    const refusal = await parseRegistration(text, 'mx2s.yaml').catch((error: unknown) => error as Error);
    expect(refusal).toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(message) as string,
    });
    expect(String((refusal as Error).message)).not.toContain('secret');
  });
});
