import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signRequest } from '../../src/federation/signed-request.js';
import { parsePublicKey } from '../../src/federation/signing-key.js';
import { verifyRequest, verifyTransaction, type KeyFor } from '../../src/federation/verify-request.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseJson } from '../../src/wire/json.js';
import { readVectorFile } from '../wire/vector-file.js';
import { keyOf } from './peer.js';

interface Received {
  readonly method: string;
  readonly uri: string;
  readonly authorization: readonly string[];
  readonly body?: string;
}

const vectors = readVectorFile<Received, { origin: string } | { status: number; errcode: string }>(
  'federation/transactions.json',
  {
    top: ['server_name', 'keys'],
    input: ['method', 'uri', 'authorization', 'body'],
    expect: ['origin', 'status', 'errcode'],
  },
);
const SELF = parseServerName(vectors['server_name'] as string);
const KEYS = vectors['keys'] as Readonly<Record<string, Readonly<Record<string, string>>>>;

const keyFor: KeyFor = (serverName, keyId) => {
  const listed = KEYS[serverName]?.[keyId];
  const key = listed === undefined ? undefined : parsePublicKey(listed);
  return Promise.resolve(key ?? { fault: `${serverName} has no key ${keyId}` });
};

describe('verifyTransaction', () => {
  it.each(vectors.cases)('$name: $why', async ({ input, expect: wanted }) => {
    const result = await verifyTransaction({ ...input, body: input.body }, SELF, keyFor);
    if ('status' in result) {
      expect({ status: result.status, errcode: result.errcode }).toEqual(wanted);
      expect(result.error).toMatch(/^[^A-Z\n]/);
    } else {
      expect({ origin: result.origin }).toEqual(wanted);
      expect(result.transaction.origin).toBe(result.origin);
    }
  });

  const senseless = vectors.cases.filter(
    ({ expect: wanted, why }) =>
      'errcode' in wanted && wanted.errcode !== 'M_UNAUTHORIZED' && !/^row [67]/.test(why),
  );

  it.each(senseless)('asks for no key before the request makes sense: $name', async ({ input }) => {
    const never: KeyFor = () => Promise.reject(new Error('asked for a key'));
    const result = await verifyTransaction({ ...input, body: input.body }, SELF, never);
    expect(result).toMatchObject({ status: 400 });
  });
});

describe('verifyRequest', () => {
  const identity = { serverName: parseServerName('a.example'), keys: [keyOf('1', 1)] } as const;
  const ownKey: KeyFor = () =>
    Promise.resolve(parsePublicKey(identity.keys[0].publicKey) ?? { fault: 'no key' });

  it('takes a request without a body', async () => {
    const uri = '/_matrix/federation/v1/user/devices/%40%3Ab?x=%20';
    const { authorization = '' } = signRequest({ method: 'GET', uri, destination: SELF }, identity);
    const request = { method: 'GET', uri, authorization: [authorization], body: undefined };
    expect(await verifyRequest(request, SELF, ownKey)).toEqual({ origin: 'a.example', content: undefined });
    expect(await verifyRequest({ ...request, body: '' }, SELF, ownKey)).toHaveProperty('origin');
    expect(await verifyRequest({ ...request, body: '{}' }, SELF, ownKey)).toMatchObject({ status: 401 });
  });

  it('gives the body as it came', async () => {
    const content = parseJson('{"b":1.0,"a":[1e3]}');
    const request = { method: 'POST', uri: '/x', destination: SELF, content } as const;
    const { authorization = '', body } = signRequest(request, identity);
    expect(body).toBe('{"a":[1000],"b":1}');
    const received = {
      method: 'POST',
      uri: '/x',
      authorization: [authorization],
      body: ' {"b":1.0,"a":[1e3]}',
    };
    expect(await verifyRequest(received, SELF, ownKey)).toEqual({ origin: 'a.example', content });
  });

  it('asks nobody for our own keys', async () => {
    const authorization = [`X-Matrix origin="${SELF}",key="ed25519:1",sig="x"`];
    const never: KeyFor = () => Promise.reject(new Error('asked for a key'));
    const result = await verifyRequest(
      { method: 'GET', uri: '/x', authorization, body: undefined },
      SELF,
      never,
    );
    expect(result).toMatchObject({ status: 401, error: 'the origin is this server itself' });
  });

  it('asks for no key that could verify nothing', async () => {
    const authorization = ['X-Matrix origin="a.example",key="rsa:1",sig="x"'];
    const never: KeyFor = () => Promise.reject(new Error('asked for a key'));
    const result = await verifyRequest(
      { method: 'GET', uri: '/x', authorization, body: undefined },
      SELF,
      never,
    );
    expect(result).toMatchObject({ status: 401, error: 'rsa:1 is no Ed25519 key' });
  });

  it('keeps from strangers why a key cannot be had', async () => {
    const { authorization = '' } = signRequest({ method: 'GET', uri: '/x', destination: SELF }, identity);
    const cause = new Error('a.example is 10.0.0.1');
    const result = await verifyRequest(
      { method: 'GET', uri: '/x', authorization: [authorization], body: undefined },
      SELF,
      () => Promise.resolve({ fault: 'the keys cannot be fetched', cause }),
    );
    expect(result).toEqual({
      status: 401,
      errcode: 'M_UNAUTHORIZED',
      error: 'the keys cannot be fetched',
      cause,
    });
  });

  it('never throws, whatever comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), fc.string(), fc.string(), async (header, uri, body) => {
        const authorization = [header, `X-Matrix ${header}`, 'X-Matrix origin=a,key=ed25519:1,sig=x'];
        const result = await verifyRequest({ method: 'PUT', uri, authorization, body }, SELF, ownKey);
        expect(result).toHaveProperty('status');
      }),
    );
  });

  it('lets nothing pass that differs from what was signed', async () => {
    const value = fc.oneof(fc.constant('x'), fc.string({ minLength: 1, maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(value, value, value, async (path, query, text) => {
        const uri = `/${encodeURIComponent(path.toWellFormed())}?${encodeURIComponent(query.toWellFormed())}`;
        if (!URL.canParse(`https://a${uri}`) || new URL(`https://a${uri}`).href !== `https://a${uri}`) return;
        const content = parseJson(JSON.stringify({ text: text.toWellFormed() }));
        const request = { method: 'PUT', uri, destination: SELF, content } as const;
        const { authorization = '', body = '' } = signRequest(request, identity);
        const good = { method: 'PUT', uri, authorization: [authorization], body };
        expect(await verifyRequest(good, SELF, ownKey)).toHaveProperty('origin');
        for (const other of [
          { ...good, method: 'POST' },
          { ...good, uri: `${uri}a` },
          { ...good, body: body.replace('{"', '{"a') },
          { ...good, body: undefined },
        ]) {
          expect(await verifyRequest(other, SELF, ownKey)).toMatchObject({ status: 401 });
        }
        expect(await verifyRequest(good, parseServerName('b.example'), ownKey)).toMatchObject({
          status: 401,
        });
      }),
    );
  });
});
