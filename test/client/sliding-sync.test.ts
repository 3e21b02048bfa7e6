import { describe, expect, it } from 'vitest';
import { openSlidingSync, slidingDialects } from '../../src/client/sliding-sync.js';
import { MatrixError } from '../../src/errors.js';
import { json, type Asked, type Respond } from '../http/loopback-server.js';
import { openTestApi, type TestApi } from './test-api.js';

const UNSTABLE = '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync';
const STABLE = '/_matrix/client/v4/sync';

interface Request {
  readonly path: string;
  readonly query: Record<string, string>;
  readonly body: unknown;
}

/** A homeserver with these features and this one sync endpoint, which numbers its answers. */
function openServer(endpoint: string | undefined, features: object, ...script: Respond[]): Promise<TestApi> {
  let syncs = 0;
  return openTestApi((asked: Asked, response, index) => {
    if (asked.path.endsWith('/versions')) {
      json(response, 200, { versions: ['v1.15'], unstable_features: features });
    } else if (endpoint === undefined || !asked.path.startsWith(endpoint)) {
      json(response, 404, { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' });
    } else {
      const scripted = script[syncs];
      syncs += 1;
      const number = String(syncs);
      const section = { next_batch: `s${number}`, events: [{ sender: '@:a', type: 't', content: {} }] };
      if (scripted !== undefined) scripted(asked, response, index);
      else json(response, 200, { pos: `p${number}`, extensions: { to_device: section } });
    }
  });
}

function syncsOf({ server }: TestApi): Request[] {
  return server.asked
    .filter(({ path }) => path.includes('/sync'))
    .map(({ path, body }) => {
      const { pathname, searchParams } = new URL(path, server.url);
      return { path: pathname, query: Object.fromEntries(searchParams), body: JSON.parse(body) as unknown };
    });
}

describe('openSlidingSync', () => {
  it('speaks the unstable form, and keeps the position between syncs', async () => {
    const bench = await openServer(UNSTABLE, { 'org.matrix.simplified_msc3575': true });
    const connection = openSlidingSync(bench.api);
    const first = await connection.sync({ timeoutMs: 0 });
    expect(first).toEqual({
      pos: 'p1',
      nextBatch: 's1',
      events: [{ sender: '@:a', type: 't', content: '{}' }],
      malformedCount: 0,
    });
    await connection.sync({ timeoutMs: 30_000, since: 's1' });
    const toDevice = { enabled: true, limit: 100 };
    expect(syncsOf(bench)).toEqual([
      {
        path: UNSTABLE,
        query: { timeout: '0', set_presence: 'offline' },
        body: { conn_id: 'mx2s', extensions: { to_device: toDevice } },
      },
      {
        path: UNSTABLE,
        query: { pos: 'p1', timeout: '30000', set_presence: 'offline' },
        body: { conn_id: 'mx2s', extensions: { to_device: { ...toDevice, since: 's1' } } },
      },
    ]);
    expect(bench.server.asked.filter(({ path }) => path.endsWith('/versions'))).toHaveLength(1);
  });

  it('speaks the stable form, with all in the body', async () => {
    const bench = await openServer(STABLE, { 'org.matrix.msc4538.stable': true });
    const connection = openSlidingSync(bench.api, 'peek');
    await connection.sync({ timeoutMs: 0, since: 's0' });
    await connection.sync({ timeoutMs: 7, since: 's1' });
    const extension = (since: string) => ({ to_device: { enabled: true, limit: 100, since } });
    expect(syncsOf(bench)).toEqual([
      {
        path: STABLE,
        query: {},
        body: { conn_id: 'peek', timeout: 0, set_presence: 'offline', extensions: extension('s0') },
      },
      {
        path: STABLE,
        query: {},
        body: {
          conn_id: 'peek',
          pos: 'p1',
          timeout: 7,
          set_presence: 'offline',
          extensions: extension('s1'),
        },
      },
    ]);
  });

  it('finds the unstable form where the server does not tell of it', async () => {
    const bench = await openServer(UNSTABLE, {});
    const connection = openSlidingSync(bench.api);
    await connection.sync({ timeoutMs: 0 });
    await connection.sync({ timeoutMs: 0 });
    expect(syncsOf(bench).map(({ path }) => path)).toEqual([STABLE, UNSTABLE, UNSTABLE]);
  });

  it('finds the stable form where the unstable one was promised and is gone', async () => {
    const bench = await openServer(STABLE, { 'org.matrix.simplified_msc3575': true });
    await openSlidingSync(bench.api).sync({ timeoutMs: 0 });
    expect(syncsOf(bench).map(({ path }) => path)).toEqual([UNSTABLE, STABLE]);
  });

  it('says when there is none', async () => {
    const { api } = await openServer(undefined, {});
    const synced = openSlidingSync(api).sync({ timeoutMs: 0 });
    await expect(synced).rejects.toThrow(MatrixError);
    await expect(synced).rejects.toMatchObject({
      status: 404,
      hint: expect.stringContaining('--sync v3') as string,
    });
  });

  const unknownPos: Respond = (_asked, response) => json(response, 400, { errcode: 'M_UNKNOWN_POS' });
  const good: Respond = (_asked, response) => json(response, 200, { pos: 'p9' });

  it('begins a new connection when the position has expired, from the same since', async () => {
    const bench = await openServer(UNSTABLE, { 'org.matrix.simplified_msc3575': true }, good, unknownPos);
    const connection = openSlidingSync(bench.api);
    await connection.sync({ timeoutMs: 0, since: 's0' });
    expect(await connection.sync({ timeoutMs: 5, since: 's7' })).toMatchObject({
      pos: 'p3',
      nextBatch: 's3',
    });
    expect(syncsOf(bench).map(({ query }) => query['pos'])).toEqual([undefined, 'p9', undefined]);
    expect(syncsOf(bench)[2]?.body).toMatchObject({ extensions: { to_device: { since: 's7' } } });
  });

  it('does not begin anew for ever', async () => {
    const bench = await openServer(
      UNSTABLE,
      { 'org.matrix.simplified_msc3575': true },
      good,
      unknownPos,
      unknownPos,
    );
    const connection = openSlidingSync(bench.api);
    await connection.sync({ timeoutMs: 0 });
    await expect(connection.sync({ timeoutMs: 0 })).rejects.toMatchObject({ errcode: 'M_UNKNOWN_POS' });
    expect(syncsOf(bench)).toHaveLength(3);
    expect(await connection.sync({ timeoutMs: 0 })).toMatchObject({ pos: 'p4' });
  });

  it('passes on other refusals, and tries no other form for them', async () => {
    const refused: Respond = (_asked, response) => json(response, 400, { errcode: 'M_INVALID_PARAM' });
    const bench = await openServer(UNSTABLE, { 'org.matrix.simplified_msc3575': true }, refused);
    await expect(openSlidingSync(bench.api).sync({ timeoutMs: 0, since: 'abc' })).rejects.toMatchObject({
      errcode: 'M_INVALID_PARAM',
    });
    expect(syncsOf(bench)).toHaveLength(1);
  });
});

describe('slidingDialects', () => {
  const prefixed = 'org.matrix.msc4538.to_device';
  it.each([
    [[], ['stable', prefixed], ['unstable', 'to_device']],
    [['org.matrix.simplified_msc3575'], ['unstable', 'to_device'], ['stable', prefixed]],
    [['org.matrix.msc4538'], ['stable', prefixed], ['unstable', 'to_device']],
    [['org.matrix.msc4538.stable'], ['stable', 'to_device'], ['unstable', 'to_device']],
  ])('with %j tries %j, then %j', (features, ...order) => {
    const dialects = slidingDialects({ features: new Set(features) });
    expect(dialects.map(({ form, extension }) => [form, extension])).toEqual(order);
  });
});
