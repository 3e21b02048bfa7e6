import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeviceId } from '../../src/ids/device-id.js';
import { OutboxFullError } from '../../src/federation/outbox-limits.js';
import { parseServerName, type ServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import {
  RECEIVED_KEPT_MS,
  type Delivery,
  type DeviceRef,
  type Store,
  type TokenPair,
} from '../../src/store/store.js';
import { compactJson, type JsonText } from '../../src/wire/json.js';

const ALICE = parseUserId('@alice:hs.test');
const BOB = parseUserId('@bob:hs.test');
const CONTENT = compactJson('{"a":1}');
const [THERE, ELSEWHERE] = [parseServerName('there.test'), parseServerName('elsewhere.test:8448')];

const directory = mkdtempSync(join(tmpdir(), 'mx2s-store-'));
afterAll(() => rmSync(directory, { recursive: true }));

const PATHS_KEPT = 100;
const LIMITS = { maxEdus: 5, maxBytes: 30 };
let fileCount = 0;
const STORES: [string, () => Store | Promise<Store>][] = [
  ['memory', () => openMemoryStore(PATHS_KEPT, LIMITS)],
  ['SQLite', () => openSqliteStore(join(directory, `${(fileCount += 1)}.db`), PATHS_KEPT, LIMITS)],
];

let store: Store;

describe.each(STORES)('the %s store', (_name, openStore) => {
  beforeEach(async () => {
    store = await openStore();
    for (const userId of [ALICE, BOB]) await store.createAccount({ userId, passwordHash: undefined });
  });

  afterEach(() => store.close());

  function device(name: string, userId = ALICE): DeviceRef {
    return { userId, deviceId: name as DeviceId };
  }

  function pair(name: string): TokenPair {
    return { accessTokenHash: `a${name}`, refreshTokenHash: `r${name}`, expiresTs: 1000 };
  }

  async function open(ref: DeviceRef, name: string, revokeOthers = false): Promise<void> {
    await store.openSession({ ...ref, displayName: name }, pair(name), { revokeOthers });
  }

  function delivery(named: [string, JsonText][], others?: JsonText, once?: Delivery['once']): Delivery {
    const devices = new Map(named.map(([name, content]) => [name as DeviceId, content]));
    return { sender: BOB, type: 't', messages: [{ userId: ALICE, named: devices, others }], once };
  }

  async function isGood(accessTokenHash: string): Promise<boolean> {
    return (await store.useAccessToken(accessTokenHash)) !== undefined;
  }

  describe('facts', () => {
    it('are kept until others take their place', async () => {
      expect(await store.fact('server_name')).toBeUndefined();
      await store.keepFact('server_name', 'hs.test');
      await store.keepFact('signing_key', 'first');
      await store.keepFact('signing_key', 'second');
      await store.keepFact(`device_of ${ALICE}`, 'A');
      expect(await store.fact('server_name')).toBe('hs.test');
      expect(await store.fact('signing_key')).toBe('second');
      expect(await store.fact(`device_of ${ALICE}`)).toBe('A');
      expect(await store.fact(`device_of ${BOB}`)).toBeUndefined();
    });
  });

  describe('accounts', () => {
    it('are made once', async () => {
      expect(await store.createAccount({ userId: ALICE, passwordHash: 'other' })).toBe(false);
      expect(await store.account(ALICE)).toEqual({ userId: ALICE, passwordHash: undefined });
      expect(await store.account(parseUserId('@nobody:hs.test'))).toBeUndefined();
    });

    it('go with all they have', async () => {
      await open(device('A'), '1');
      await store.addFilter(ALICE, CONTENT);
      await store.deliver(delivery([['A', CONTENT]]));

      expect(await store.deleteAccount(ALICE)).toBe(true);
      expect(await store.deleteAccount(ALICE)).toBe(false);
      expect(await store.account(ALICE)).toBeUndefined();
      expect(await store.devices(ALICE)).toEqual([]);
      expect(await isGood('a1')).toBe(false);

      await store.createAccount({ userId: ALICE, passwordHash: undefined });
      await open(device('A'), '2');
      expect(await store.queued(device('A'), 0, 10)).toEqual([]);
      expect(await store.filter(ALICE, '0')).toBeUndefined();
    });
  });

  describe('devices', () => {
    it('are made by a session, and keep their name', async () => {
      await open(device('__proto__'), 'first');
      await open(device('__proto__'), 'second');
      await open(device('B'), 'third');
      expect(await store.devices(ALICE)).toEqual([
        { ...device('__proto__'), displayName: 'first' },
        { ...device('B'), displayName: 'third' },
      ]);
      expect(await store.devices(BOB)).toEqual([]);
    });

    it('can be renamed', async () => {
      await open(device('A'), 'old');
      expect(await store.renameDevice(device('A'), 'new')).toBe(true);
      expect((await store.device(device('A')))?.displayName).toBe('new');
      expect(await store.renameDevice(device('B'), 'new')).toBe(false);
    });

    it('go with all they have', async () => {
      await open(device('A'), '1');
      await store.deliver(delivery([['A', CONTENT]], undefined, { device: device('A'), path: '/1' }));
      await store.addKeys(device('A'), { identity: CONTENT, oneTime: new Map(), fallback: new Map() });

      expect(await store.deleteDevice(device('A'))).toBe(true);
      expect(await store.deleteDevice(device('A'))).toBe(false);
      expect(await isGood('a1')).toBe(false);
      expect(await store.renewSession('r1', pair('2'))).toBe(false);

      await open(device('A'), '3');
      expect(await store.queued(device('A'), 0, 10)).toEqual([]);
      expect(await store.keys(device('A'))).toBeUndefined();
      const again = await store.deliver(delivery([], undefined, { device: device('A'), path: '/1' }));
      expect(again.repeated).toBe(false);
    });
  });

  describe('sessions', () => {
    it('stand for a device, and know when they expire', async () => {
      await open(device('A'), '1');
      expect(await store.useAccessToken('a1')).toMatchObject({ device: device('A'), expiresTs: 1000 });
      expect(await store.useAccessToken('r1')).toBeUndefined();
    });

    it('live beside each other, unless others are to end', async () => {
      await open(device('A'), '1');
      await open(device('A'), '2');
      expect([await isGood('a1'), await isGood('a2')]).toEqual([true, true]);
      await open(device('A'), '3', true);
      expect([await isGood('a1'), await isGood('a2'), await isGood('a3')]).toEqual([false, false, true]);
      expect(await store.renewSession('r2', pair('4'))).toBe(false);
    });

    it('keep the old refresh token good until the new access token is used', async () => {
      await open(device('A'), '1');
      expect(await store.renewSession('r1', pair('2'))).toBe(true);
      expect(await store.renewSession('r1', pair('3'))).toBe(true); // the answer with pair 2 was lost
      expect(await isGood('a3')).toBe(true);
      expect(await store.renewSession('r1', pair('4'))).toBe(false);
    });

    it('void the pair that was given first when the old refresh token is used again', async () => {
      await open(device('A'), '1');
      await store.renewSession('r1', pair('2'));
      await store.renewSession('r1', pair('3'));
      expect(await isGood('a2')).toBe(false);
      expect(await store.renewSession('r2', pair('4'))).toBe(false);
      expect(await store.renewSession('r3', pair('4'))).toBe(true);
    });

    it('end the old refresh token when the new one is used', async () => {
      await open(device('A'), '1');
      await store.renewSession('r1', pair('2'));
      await store.renewSession('r2', pair('3'));
      expect(await store.renewSession('r1', pair('4'))).toBe(false);
    });

    it('keep the last access token for what is under way, but no older ones', async () => {
      await open(device('A'), '1');
      for (const [old, fresh] of [
        ['1', '2'],
        ['2', '3'],
      ] as const) {
        await store.renewSession(`r${old}`, pair(fresh));
        await store.useAccessToken(`a${fresh}`);
      }
      expect([await isGood('a1'), await isGood('a2'), await isGood('a3')]).toEqual([false, true, true]);
    });
  });

  describe('queues', () => {
    beforeEach(async () => {
      await open(device('A'), '1');
      await open(device('B'), '2');
    });

    it('take what is for a device by name before what is for all', async () => {
      const other = compactJson('{"b":2}');
      const { reached } = await store.deliver(
        delivery(
          [
            ['A', CONTENT],
            ['NOWHERE', CONTENT],
          ],
          other,
        ),
      );
      expect(reached.map(({ deviceId }) => deviceId)).toEqual(['A', 'B']);
      expect(await store.queued(device('A'), 0, 10)).toEqual([
        { position: 1, sender: BOB, type: 't', content: CONTENT },
      ]);
      expect(await store.queued(device('B'), 0, 10)).toEqual([
        { position: 2, sender: BOB, type: 't', content: other },
      ]);
    });

    it('give the oldest first, from a position on, so many at a time, and forget what is acknowledged', async () => {
      for (let n = 0; n < 5; n += 1) await store.deliver(delivery([['A', CONTENT]]));
      const positions = async (after: number, limit: number) =>
        (await store.queued(device('A'), after, limit)).map(({ position }) => position);
      expect(await positions(0, 3)).toEqual([1, 2, 3]);
      expect(await positions(2, 9)).toEqual([3, 4, 5]);
      await store.acknowledge(device('A'), 3);
      expect(await positions(0, 9)).toEqual([4, 5]);
      await store.acknowledge(device('A'), 99);
      expect(await positions(0, 9)).toEqual([]);
    });

    it('never give a position twice, not even to a device made anew', async () => {
      await store.deliver(delivery([['A', CONTENT]]));
      await store.deleteDevice(device('A'));
      await open(device('A'), '3');
      await store.deliver(delivery([['A', CONTENT]]));
      expect((await store.queued(device('A'), 0, 9))[0]?.position).toBe(2);
      expect(await store.newestPosition()).toBe(2);
    });

    it('R-15: take a delivery once for one device and path', async () => {
      const once = (name: string, path: string) =>
        store.deliver(delivery([['A', CONTENT]], undefined, { device: device(name), path }));
      expect(await once('A', '/1')).toMatchObject({ repeated: false });
      expect(await once('A', '/1')).toEqual({ repeated: true, reached: [] });
      expect(await store.hasDelivered({ device: device('A'), path: '/1' })).toBe(true);
      expect(await store.hasDelivered({ device: device('A'), path: '/never' })).toBe(false);
      expect(await once('A', '/2')).toMatchObject({ repeated: false });
      expect(await once('B', '/1')).toMatchObject({ repeated: false });
      expect(await store.queued(device('A'), 0, 9)).toHaveLength(3);
    });

    it('forget the oldest of very many paths', async () => {
      const once = (path: string) => store.deliver(delivery([], undefined, { device: device('A'), path }));
      for (let n = 0; n <= PATHS_KEPT; n += 1) await once(`/${n}`);
      expect((await once('/1')).repeated).toBe(true);
      expect((await once('/0')).repeated).toBe(false);
    });
  });

  describe('what comes from other servers', () => {
    beforeEach(() => open(device('A'), '1'));

    const edu = (origin = THERE, messageId = 'm', nowTs = 0) =>
      store.deliver({ ...delivery([['A', CONTENT]]), once: { origin, messageId, nowTs } });

    it('R-18: is taken once for one origin and message ID', async () => {
      expect(await edu()).toMatchObject({ repeated: false });
      expect(await edu()).toEqual({ repeated: true, reached: [] });
      expect(await edu(ELSEWHERE)).toMatchObject({ repeated: false });
      expect(await edu(THERE, 'm\0')).toMatchObject({ repeated: false });
      expect(await edu(THERE, 'm\0')).toMatchObject({ repeated: true });
      expect(await store.queued(device('A'), 0, 9)).toHaveLength(3);
    });

    it('R-18: is known again for 7 days', async () => {
      await edu(THERE, 'old', 0);
      await edu(THERE, 'new', 1);
      expect(await edu(THERE, 'old', RECEIVED_KEPT_MS - 1)).toMatchObject({ repeated: true });
      expect(await edu(THERE, 'old', RECEIVED_KEPT_MS)).toMatchObject({ repeated: false });
      expect(await edu(THERE, 'new', RECEIVED_KEPT_MS)).toMatchObject({ repeated: true });
    });

    it('has an answer for each transaction, for 7 days', async () => {
      const id = (origin = THERE, txnId = 't', nowTs = 0) => ({ origin, txnId, nowTs });
      expect(await store.transactionAnswer(id())).toBeUndefined();
      await store.keepTransactionAnswer(id(), CONTENT);
      await store.keepTransactionAnswer(id(), compactJson('{"b":2}'));
      expect(await store.transactionAnswer(id())).toBe('{"b":2}');
      expect(await store.transactionAnswer(id(ELSEWHERE))).toBeUndefined();
      expect(await store.transactionAnswer(id(THERE, 't', RECEIVED_KEPT_MS - 1))).toBe('{"b":2}');
      expect(await store.transactionAnswer(id(THERE, 't', RECEIVED_KEPT_MS))).toBeUndefined();
      await store.keepTransactionAnswer(id(THERE, 'other', RECEIVED_KEPT_MS), CONTENT);
      expect(await store.transactionAnswer(id(THERE, 't', RECEIVED_KEPT_MS))).toBeUndefined();
    });
  });

  describe('the outbox', () => {
    const edus = (...numbers: number[]) => numbers.map((n) => compactJson(String(n)));
    const sealed = { txnId: 'txn', originServerTsMs: 1_700_000_000_000, eduCount: 2 };

    it('gives what waits for a server, in order, so many at a time', async () => {
      await store.outbox.append(THERE, edus(1, 2));
      await store.outbox.append(ELSEWHERE, edus(3));
      await store.outbox.append(THERE, edus(4));
      expect([...(await store.outbox.destinations())].sort()).toEqual([ELSEWHERE, THERE]);
      expect(await store.outbox.head(THERE, 9)).toEqual({ edus: edus(1, 2, 4), sealed: undefined });
      expect((await store.outbox.head(THERE, 2)).edus).toEqual(edus(1, 2));
      expect(await store.outbox.head(parseServerName('nowhere.test'), 9)).toEqual({
        edus: [],
        sealed: undefined,
      });
    });

    it('forgets a transaction with its EDUs, and no other', async () => {
      await store.outbox.append(THERE, edus(1, 2, 3));
      await store.outbox.append(ELSEWHERE, edus(4));
      await store.outbox.seal(THERE, sealed);
      expect(await store.outbox.head(THERE, 9)).toEqual({ edus: edus(1, 2, 3), sealed });

      await store.outbox.remove(THERE, 'other');
      await store.outbox.remove(ELSEWHERE, 'txn');
      expect(await store.outbox.head(THERE, 9)).toEqual({ edus: edus(1, 2, 3), sealed });

      await store.outbox.remove(THERE, 'txn');
      expect(await store.outbox.head(THERE, 9)).toEqual({ edus: edus(3), sealed: undefined });
      expect((await store.outbox.head(ELSEWHERE, 9)).edus).toEqual(edus(4));

      await store.outbox.seal(THERE, { ...sealed, eduCount: 1 });
      await store.outbox.remove(THERE, 'txn');
      expect(await store.outbox.destinations()).toEqual([ELSEWHERE]);
    });

    it('is filled with a delivery, once', async () => {
      await open(device('A'), '1');
      const once = { device: device('A'), path: '/1' };
      const outgoing = new Map([
        [THERE, edus(1, 2)],
        [ELSEWHERE, edus(3)],
      ]);
      await store.deliver({ ...delivery([], undefined, once), outgoing });
      await store.deliver({ ...delivery([], undefined, once), outgoing });
      expect((await store.outbox.head(THERE, 9)).edus).toEqual(edus(1, 2));
      expect((await store.outbox.head(ELSEWHERE, 9)).edus).toEqual(edus(3));
    });
  });

  describe('the outbox, when much waits for a server', () => {
    const edus = (...numbers: number[]) => numbers.map((n) => compactJson(String(n)));
    const long = compactJson(`"${'ü'.repeat(13)}"`); // 28 bytes

    /** Has as many taken as are named. */
    async function take(eduCount: number): Promise<void> {
      await store.outbox.seal(THERE, { txnId: 'txn', originServerTsMs: 1, eduCount });
      await store.outbox.remove(THERE, 'txn');
    }

    it('takes no more, loses none, and takes more when some were taken', async () => {
      await store.outbox.append(THERE, edus(1, 2, 3));
      await expect(store.outbox.append(THERE, edus(4, 5, 6))).rejects.toThrow(OutboxFullError);
      await store.outbox.append(THERE, edus(4, 5));
      await expect(store.outbox.append(THERE, edus(6))).rejects.toMatchObject({ destination: THERE });
      await store.outbox.append(ELSEWHERE, edus(6));
      expect((await store.outbox.head(THERE, 9)).edus).toEqual(edus(1, 2, 3, 4, 5));
      await take(2);
      await store.outbox.append(THERE, edus(6, 7));
      await expect(store.outbox.append(THERE, edus(8))).rejects.toThrow(OutboxFullError);
      await take(5);
      await store.outbox.append(THERE, edus(1, 2, 3, 4, 5));
    });

    it('counts bytes, too', async () => {
      await store.outbox.append(THERE, [long]);
      await expect(store.outbox.append(THERE, [compactJson('123')])).rejects.toThrow(OutboxFullError);
      await store.outbox.append(THERE, edus(1, 2));
      await take(1);
      await store.outbox.append(THERE, [long]);
    });

    it('does nothing of a delivery that it cannot take whole, and knows a repeat of an earlier one', async () => {
      await open(device('A'), '1');
      const deliver = (path: string, outgoing: ReadonlyMap<ServerName, readonly JsonText[]>) =>
        store.deliver({
          ...delivery([['A', CONTENT]], undefined, { device: device('A'), path }),
          outgoing,
        });
      await deliver('/1', new Map([[THERE, edus(1, 2, 3, 4, 5)]]));
      const more = new Map([
        [ELSEWHERE, edus(1)],
        [THERE, edus(6)],
      ]);
      await expect(deliver('/2', more)).rejects.toThrow(OutboxFullError);
      expect(await store.queued(device('A'), 0, 9)).toHaveLength(1);
      expect(await store.hasDelivered({ device: device('A'), path: '/2' })).toBe(false);
      expect(await store.outbox.destinations()).toEqual([THERE]);
      expect(await deliver('/1', more)).toMatchObject({ repeated: true });
      await take(1);
      expect(await deliver('/2', more)).toMatchObject({ repeated: false });
      expect((await store.outbox.head(THERE, 9)).edus).toEqual(edus(2, 3, 4, 5, 6));
    });
  });

  describe('keys', () => {
    const keys = (...names: string[]) => new Map(names.map((name) => [name, compactJson(`"${name}"`)]));

    beforeEach(() => open(device('A'), '1'));

    it('are claimed once each, then the fallback key as often as asked', async () => {
      await store.addKeys(device('A'), {
        identity: CONTENT,
        oneTime: keys('x:1', 'y:1', 'x:2'),
        fallback: keys('x:f'),
      });
      const claim = async () => (await store.claimKey(device('A'), 'x'))?.keyId;
      expect([await claim(), await claim(), await claim(), await claim()]).toEqual([
        'x:1',
        'x:2',
        'x:f',
        'x:f',
      ]);
      expect(await store.claimKey(device('A'), 'z')).toBeUndefined();
      expect(await store.claimKey(device('B'), 'x')).toBeUndefined();
    });

    it('are added, or replace what there can be one of', async () => {
      await store.addKeys(device('A'), {
        identity: CONTENT,
        oneTime: keys('x:1'),
        fallback: keys('x:f', 'y:f'),
      });
      await store.addKeys(device('A'), { identity: undefined, oneTime: keys('x:2'), fallback: keys('x:g') });
      const known = await store.keys(device('A'));
      expect(known?.identity).toBe(CONTENT);
      expect([...(known?.oneTime.keys() ?? [])]).toEqual(['x:1', 'x:2']);
      expect([...(known?.fallback.keys() ?? [])]).toEqual(['y:f', 'x:g']);
    });
  });

  describe('filters', () => {
    it('have the same ID when they are the same, and belong to one account', async () => {
      expect(await store.addFilter(ALICE, CONTENT)).toBe('0');
      expect(await store.addFilter(ALICE, compactJson('{}'))).toBe('1');
      expect(await store.addFilter(ALICE, CONTENT)).toBe('0');
      expect(await store.filter(ALICE, '0')).toBe(CONTENT);
      expect(await store.filter(BOB, '0')).toBeUndefined();
      expect(await store.filter(ALICE, '2')).toBeUndefined();
      expect(await store.filter(ALICE, 'length')).toBeUndefined();
    });
  });
});
