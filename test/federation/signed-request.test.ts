import { describe, expect, it } from 'vitest';
import { MalformedResponseError, MatrixError, NetworkError } from '../../src/errors.js';
import { sendSigned, signRequest } from '../../src/federation/signed-request.js';
import { parsePublicKey, signingKeyFromSeed } from '../../src/federation/signing-key.js';
import { verifyRequest } from '../../src/federation/verify-request.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { decodeBase64 } from '../../src/wire/base64.js';
import { CanonicalJsonError } from '../../src/wire/canonical-json.js';
import { parseJson } from '../../src/wire/json.js';
import { json } from '../http/loopback-server.js';
import { readVectorFile } from '../wire/vector-file.js';
import { keyOf, openClient, startPeer } from './peer.js';

const identity = { serverName: parseServerName('a.example'), keys: [keyOf('1', 1), keyOf('2', 2)] } as const;

describe('signRequest', () => {
  const vectors = readVectorFile<
    { method: 'GET' | 'PUT'; uri: string; destination: string; content?: object },
    { signature: string }
  >('wire/signing/objects.json', { top: ['key'], expect: ['signed', 'signature'] });
  const { seed } = vectors['key'] as { seed: string };
  const key = signingKeyFromSeed('1', decodeBase64(seed) ?? new Uint8Array());

  it.each(vectors.cases.filter(({ name }) => name.startsWith('X-')))(
    'is the vector $name',
    ({ input, expect: wanted }) => {
      const { method, uri, destination, content } = input;
      const request = signRequest(
        {
          method,
          uri,
          destination: parseServerName(destination),
          content: content && parseJson(JSON.stringify(content)),
        },
        { serverName: parseServerName('domain'), keys: [key] },
      );
      expect(request.authorization).toBe(
        `X-Matrix origin="domain",destination="dest.example",key="ed25519:1",sig="${wanted.signature}"`,
      );
      expect(request.body === undefined).toBe(content === undefined);
    },
  );

  it('does not sign what has no canonical form', () => {
    const request = { method: 'PUT', uri: '/x', destination: identity.serverName } as const;
    expect(() => signRequest({ ...request, content: parseJson('1.5') }, identity)).toThrow(
      CanonicalJsonError,
    );
  });

  it.each(['x', '/a b', '/a/../b', '/ä', '/a#b', '/a\n', '/a?'])('does not sign the target %j', (uri) => {
    const request = { method: 'GET', uri, destination: identity.serverName } as const;
    expect(() => signRequest(request, identity)).toThrow('would not go over the wire as it is signed');
  });
});

describe('sendSigned', () => {
  it('sends what the receiver verifies: method, target and body as they arrive', async () => {
    const peer = await startPeer();
    const uri = `/_matrix/federation/v1/send/${encodeURIComponent("a/b!'()*~ü😀")}?q=%20`;
    const content = parseJson('{"z":1.0,"ü":"\\ud83d\\ude00\\u2028","a":{"b":[1e2,-0]}}');
    const answer = await sendSigned(
      openClient(),
      { method: 'PUT', uri, destination: peer.name, content },
      identity,
    );
    expect(answer).toMatchObject({ status: 200, attempts: 1, object: { kind: 'object' } });

    const [asked] = peer.asked;
    const received = {
      method: asked?.method ?? '',
      uri: asked?.path ?? '',
      authorization: [asked?.headers.authorization ?? ''],
      body: asked?.body,
    };
    expect(received.body).toBe('{"a":{"b":[100,0]},"z":1,"ü":"😀\u2028"}');
    const key = parsePublicKey(identity.keys[0].publicKey) ?? { fault: 'no key' };
    expect(await verifyRequest(received, peer.name, () => Promise.resolve(key))).toMatchObject({
      origin: 'a.example',
    });
  });

  it.each([
    [
      'an errcode',
      { errcode: 'M_UNAUTHORIZED', error: 'no key' },
      '401 M_UNAUTHORIZED: no key',
      'fetch our key',
    ],
    ['a message, as Dendrite', { message: 'bad signature' }, '401: bad signature', 'fetch our key'],
    ['nothing', {}, '401', 'something in front of it'],
  ])('throws what the server answers, with what and where: %s', async (_what, body, words, hint) => {
    const peer = await startPeer((_asked, response) => json(response, 401, body));
    const sending = sendSigned(
      openClient(),
      { method: 'GET', uri: '/_matrix/x', destination: peer.name },
      identity,
    );
    const error: unknown = await sending.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MatrixError);
    expect(error).toMatchObject({
      status: 401,
      errcode: 'errcode' in body ? body.errcode : undefined,
      message: `GET https://${peer.name}/_matrix/x was answered ${words}`,
      hint: expect.stringContaining(hint),
    });
  });

  it.each([
    ['HTML', '<html>'],
    ['a list', '[]'],
  ])('throws for a success that is %s', async (_what, text) => {
    const peer = await startPeer((_asked, response) => response.end(text));
    const sending = sendSigned(
      openClient(),
      { method: 'GET', uri: '/_matrix/x', destination: peer.name },
      identity,
    );
    await expect(sending).rejects.toBeInstanceOf(MalformedResponseError);
  });

  it('throws when nobody answers', async () => {
    const peer = await startPeer();
    await peer.stop();
    const sending = sendSigned(
      openClient(),
      { method: 'GET', uri: '/_matrix/x', destination: peer.name },
      identity,
    );
    await expect(sending).rejects.toBeInstanceOf(NetworkError);
    await expect(sending).rejects.toThrow(`connection refused by ${peer.name}`);
  });
});
