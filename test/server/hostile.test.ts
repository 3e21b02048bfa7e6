/** Requests of other servers that mean harm, or that are wrong, on real sockets: each is answered, and life goes on. */
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { publishedKeys, type Identity } from '../../src/federation/server-keys.js';
import { signRequest } from '../../src/federation/signed-request.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { startServer, type RunningServer } from '../../src/server/listen.js';
import type { LogEntry } from '../../src/server/log-entry.js';
import { parseHandlerRule } from '../../src/subsystems/table.js';
import { parseJson, plainValue } from '../../src/wire/json.js';
import { encodeXMatrix } from '../../src/wire/x-matrix.js';
import { keyOf, startPeer, type Peer } from '../federation/peer.js';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';
import { json } from '../http/loopback-server.js';
import { directToDevice } from './federation-kit.js';

interface Answer {
  readonly status: number;
  readonly errcode: string | undefined;
  readonly error: string | undefined;
}

interface Sent {
  readonly method?: string;
  /** The request target, as it goes over the wire. */
  readonly target?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string | Buffer | Readable;
}

interface Stage {
  readonly server: RunningServer;
  readonly peer: Peer;
  readonly log: LogEntry[];
  /** Sends what it is given to the plain listener, or to that with TLS. */
  send(sent: Sent, scheme?: 'http' | 'https'): Promise<Answer>;
  /** A good transaction of the peer. */
  good(txnId?: string, edus?: readonly unknown[]): Sent;
}

async function openStage(): Promise<Stage> {
  const peer = await startPeer();
  const log: LogEntry[] = [];
  const bugs: unknown[] = [];
  const server = await startServer({
    federationPort: 0,
    certificate: { cert: GOOD, key: KEY },
    federation: { transport: openTransport({ trusted: parseCertificates(AUTHORITY) }), reach: 'loopback' },
    handlers: [parseHandlerRule('org.example.*=echo')],
    onEvent: (entry) => log.push(entry),
    onFault: (error) => bugs.push(error),
  });
  onTestFinished(async () => {
    await server.stop();
    expect(bugs).toEqual([]);
  });
  let txnCount = 0;
  return {
    server,
    peer,
    log,
    send: (sent, scheme = 'http') =>
      exchange(scheme === 'http' ? server.homeserver : (server.federation ?? ''), sent),
    good: (txnId = `t${String((txnCount += 1))}`, edus = []) => signed(server.serverName, peer, txnId, edus),
  };
}

/** A transaction that is signed as it should be. */
function signed(
  destination: ServerName,
  { name, key }: Pick<Peer, 'name' | 'key'>,
  txnId: string,
  edus: readonly unknown[] = [],
): Sent & { readonly headers: { authorization: string } } {
  const content = { origin: name, origin_server_ts: 1, pdus: [], edus };
  const target = `${SEND}${txnId}`;
  const request = signRequest(
    { method: 'PUT', uri: target, destination, content: parseJson(JSON.stringify(content)) },
    { serverName: name, keys: [key] },
  );
  return { target, headers: { authorization: request.authorization ?? '' }, body: request.body ?? '' };
}

/** A transaction whose body is not looked at as far as the signature. */
function unsigned({ server, peer }: Stage, body: Sent['body']): Sent {
  const header = {
    origin: peer.name,
    destination: server.serverName,
    keyId: peer.key.keyId,
    signature: 'AAAA',
  };
  return { target: `${SEND}x`, headers: { authorization: encodeXMatrix(header) }, body: body ?? '' };
}

function exchange(base: string, { method = 'PUT', target, headers = {}, body }: Sent): Promise<Answer> {
  const { protocol, hostname, port } = new URL(base);
  const open = protocol === 'https:' ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    const request = open(
      { method, path: target, hostname, port, headers, ca: AUTHORITY, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { errcode, error } = JSON.parse(Buffer.concat(chunks).toString()) as Partial<Answer>;
          resolve({ status: response.statusCode ?? 0, errcode, error });
        });
      },
    );
    request.on('error', reject); // too late after an answer
    if (body instanceof Readable) body.on('error', reject).pipe(request);
    else request.end(body);
  });
}

/** The stage is as good as new: it takes a transaction, hands it to its handler and to users, and answers. */
async function expectWell(stage: Stage): Promise<void> {
  const { server, peer, log } = stage;
  const messages = { [`@:${server.serverName}`]: { '': { well: true } } };
  const edu = directToDevice(`@zed:${peer.name}`, 'org.example.well', messages);
  for (const scheme of ['http', 'https'] as const) {
    expect(await stage.send({ method: 'GET', target: '/_matrix/federation/v1/version' }, scheme)).toEqual(OK);
    log.length = 0;
    expect(await stage.send(stage.good(undefined, [edu]), scheme)).toEqual(OK);
  }
  await server.settled();
  expect(log.map(({ outcome }) => outcome)).toContain('duplicate');
}

const SEND = '/_matrix/federation/v1/send/';
const OK: Answer = { status: 200, errcode: undefined, error: undefined };
const MEBIBYTE = 1024 * 1024;

describe.each(['http', 'https'] as const)('over %s', (scheme) => {
  type Case = [what: string, make: (stage: Stage) => Sent | Promise<Sent>, status: number, errcode?: string];
  const cases: Case[] = [
    ['no signature', (stage) => ({ ...stage.good(), headers: {} }), 401, 'M_UNAUTHORIZED'],
    [
      'a header that cannot be read',
      (stage) => ({ ...stage.good(), headers: { authorization: 'X-Matrix origin="' } }),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'an access token',
      (stage) => ({
        ...stage.good(),
        headers: { authorization: `Bearer ${stage.server.users[0]?.accessToken ?? ''}` },
      }),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'signatures of two servers',
      (stage) => {
        const [one, other] = [stage.peer, { ...stage.peer, name: parseServerName('other.test') }].map(
          (from) => signed(stage.server.serverName, from, 'x'),
        );
        const authorization = [one, other].map((each) => each?.headers.authorization ?? '');
        return { ...one, headers: { authorization } };
      },
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a signature for another body',
      (stage) => ({ ...stage.good(), body: String(stage.good().body).replace('"pdus":[]', '"pdus":[{}]') }),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a signature for another path',
      (stage) => ({ ...stage.good(), target: `${SEND}y` }),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a signature for the same path in other letters',
      (stage) => ({ ...stage.good('a'), target: `${SEND}%61` }),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a signature of another key',
      (stage) => signed(stage.server.serverName, { ...stage.peer, key: keyOf('peer', 9) }, 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a key that the server does not have',
      (stage) => signed(stage.server.serverName, { ...stage.peer, key: keyOf('unknown', 7) }, 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a key that nobody publishes',
      (stage) =>
        signed(stage.server.serverName, { ...stage.peer, name: parseServerName('127.0.0.1:1') }, 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'a key that has expired',
      async (stage) => signed(stage.server.serverName, await publishing(({ now }) => now - 2 * DAY_MS), 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'another destination',
      (stage) => signed(parseServerName('other.test'), stage.peer, 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'our own name as its origin',
      (stage) => signed(stage.server.serverName, { ...stage.peer, name: stage.server.serverName }, 'x'),
      401,
      'M_UNAUTHORIZED',
    ],
    [
      'another origin in its body',
      (stage) => {
        const { peer, server } = stage;
        const content = parseJson('{"origin":"other.test","origin_server_ts":1,"pdus":[]}');
        const request = { method: 'PUT', uri: `${SEND}x`, destination: server.serverName, content } as const;
        const { authorization = '', body = '' } = signRequest(request, {
          serverName: peer.name,
          keys: [peer.key],
        });
        return { target: `${SEND}x`, headers: { authorization }, body };
      },
      400,
      'M_BAD_JSON',
    ],
    [
      '101 EDUs',
      (stage) => stage.good(undefined, Array<unknown>(101).fill({ edu_type: 'x', content: {} })),
      400,
      'M_BAD_JSON',
    ],
    ['no JSON', (stage) => unsigned(stage, 'nope'), 400, 'M_NOT_JSON'],
    ['an array', (stage) => unsigned(stage, '[]'), 400, 'M_BAD_JSON'],
    ['nothing', (stage) => unsigned(stage, ''), 400, 'M_BAD_JSON'],
    ['no UTF-8', (stage) => unsigned(stage, Buffer.from('{"\xff":1}', 'latin1')), 400, 'M_NOT_JSON'],
    [
      'a fraction in an EDU',
      ({ peer, ...stage }) =>
        unsigned(
          { peer, ...stage },
          `{"origin":"${peer.name}","origin_server_ts":1,"pdus":[],"edus":[{"content":{"n":1.5}}]}`,
        ),
      400,
      'M_BAD_JSON',
    ],
    [
      'a key that stands twice',
      ({ peer, ...stage }) =>
        unsigned({ peer, ...stage }, `{"origin":"${peer.name}","origin_server_ts":1,"pdus":[],"pdus":[]}`),
      400,
      'M_BAD_JSON',
    ],
    [
      'JSON of 10,000 levels',
      (stage) => unsigned(stage, `{"pdus":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
      400,
      'M_NOT_JSON',
    ],
    [
      'a body of 100 MiB',
      (stage) => {
        const { headers, ...sent } = unsigned(stage, bodyOf(100));
        return { ...sent, headers: { ...headers, 'content-length': String(100 * MEBIBYTE) } };
      },
      413,
      'M_TOO_LARGE',
    ],
    [
      'a body of 100 MiB that does not say how long it is',
      (stage) => unsigned(stage, bodyOf(100)),
      413,
      'M_TOO_LARGE',
    ],
  ];

  it.each(cases)('%s is answered, and the server goes on', async (_what, make, status, errcode) => {
    const stage = await openStage();
    expect(await stage.send(await make(stage), scheme)).toMatchObject({ status, errcode });
    await expectWell(stage);
  });

  it('a repeated transaction is answered like the first, and its EDUs are taken once', async () => {
    const stage = await openStage();
    const { server, peer, log } = stage;
    const messages = { [`@:${server.serverName}`]: { '': {} } };
    const repeated = stage.good('same', [directToDevice(`@zed:${peer.name}`, 'org.example.x', messages)]);
    for (let n = 0; n < 3; n += 1) expect(await stage.send(repeated, scheme)).toEqual(OK);
    await server.settled();
    expect(log.filter(({ direction }) => direction === 'in')).toHaveLength(1);
    await expectWell(stage);
  });

  it('the path is verified as it was sent', async () => {
    const stage = await openStage();
    for (const txnId of ['a%2Fb', '%7E%41', "!'()*", 'x?y=%20&z', '%F0%9F%98%80']) {
      expect(await stage.send(stage.good(txnId), scheme)).toEqual(OK);
    }
  });
});

it('the listener for other servers serves no clients', async () => {
  const { send, server } = await openStage();
  const headers = { authorization: `Bearer ${server.users[0]?.accessToken ?? ''}` };
  const whoami = { method: 'GET', target: '/_matrix/client/v3/account/whoami', headers };
  expect(await send(whoami, 'http')).toEqual(OK);
  expect(await send(whoami, 'https')).toMatchObject({ status: 404, errcode: 'M_UNRECOGNIZED' });
});

/** A peer whose keys are said to be good until then. */
async function publishing(
  validUntilMs: (time: { now: number }) => number,
): Promise<Pick<Peer, 'name' | 'key'>> {
  const key = keyOf('peer', 7);
  const peer = await startPeer((_asked, response) => {
    const identity: Identity = { serverName: peer.name, keys: [key] };
    json(response, 200, plainValue(publishedKeys(identity, validUntilMs({ now: Date.now() }))));
  }, false);
  return { name: peer.name, key };
}

function bodyOf(mebibytes: number): Readable {
  return Readable.from(
    (function* () {
      for (let n = 0; n < mebibytes; n += 1) yield Buffer.alloc(MEBIBYTE, ' ');
    })(),
  );
}

const DAY_MS = 24 * 3_600_000;
