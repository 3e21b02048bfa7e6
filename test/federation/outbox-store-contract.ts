/** What every outbox store has to do. A test calls this with a way to open an empty one. */
import { describe, expect, it } from 'vitest';
import type { OutboxStore, SealedTransaction } from '../../src/federation/outbox-store.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { jsonTextOf } from '../../src/wire/json.js';

export function describeOutboxStore(name: string, open: () => Promise<OutboxStore>): void {
  describe(name, () => {
    it('is empty at first', async () => {
      const store = await open();
      expect(await store.destinations()).toEqual([]);
      expect(await store.head(A, 100)).toEqual({ edus: [], sealed: undefined });
    });

    it('gives back what was put in, in order, as many as are wanted', async () => {
      const store = await open();
      await store.append(A, [one, two]);
      await store.append(A, [three]);
      expect((await store.head(A, 100)).edus).toEqual([one, two, three]);
      expect((await store.head(A, 2)).edus).toEqual([one, two]);
      expect((await store.head(A, 100)).edus).toEqual([one, two, three]);
    });

    it('keeps destinations apart', async () => {
      const store = await open();
      await store.append(A, [one]);
      await store.append(B, [two]);
      expect([...(await store.destinations())].sort()).toEqual([A, B]);
      expect((await store.head(B, 100)).edus).toEqual([two]);
    });

    it('remembers what was sealed, and what comes after it', async () => {
      const store = await open();
      await store.append(A, [one, two]);
      await store.seal(A, SEALED);
      await store.append(A, [three]);
      expect(await store.head(A, 100)).toEqual({ edus: [one, two, three], sealed: SEALED });
      expect((await store.head(B, 100)).sealed).toBeUndefined();
    });

    it('removes what was sealed, and no more', async () => {
      const store = await open();
      await store.append(A, [one, two, three]);
      await store.append(B, [one]);
      await store.seal(A, SEALED);
      await store.seal(B, { ...SEALED, eduCount: 1 });
      await store.remove(A, SEALED.txnId);
      expect(await store.head(A, 100)).toEqual({ edus: [three], sealed: undefined });
      expect((await store.head(B, 100)).edus).toEqual([one]);
    });

    it('knows no destination that it has nothing for', async () => {
      const store = await open();
      await store.append(A, [one, two]);
      await store.seal(A, SEALED);
      await store.remove(A, SEALED.txnId);
      expect(await store.destinations()).toEqual([]);
      await store.append(A, [three]);
      expect(await store.head(A, 100)).toEqual({ edus: [three], sealed: undefined });
    });

    it('removes nothing for another transaction, and nothing twice', async () => {
      const store = await open();
      await store.append(A, [one, two, three]);
      await store.remove(A, SEALED.txnId);
      await store.seal(A, SEALED);
      await store.remove(A, 'another');
      expect(await store.head(A, 100)).toEqual({ edus: [one, two, three], sealed: SEALED });
      await store.remove(A, SEALED.txnId);
      await store.remove(A, SEALED.txnId);
      expect((await store.head(A, 100)).edus).toEqual([three]);
    });

    it('keeps long queues in order', async () => {
      const store = await open();
      const all = Array.from({ length: 250 }, (_each, n) => jsonTextOf({ n }));
      for (const edu of all) await store.append(A, [edu]);
      await store.seal(A, { ...SEALED, eduCount: 100 });
      await store.remove(A, SEALED.txnId);
      expect((await store.head(A, 100)).edus).toEqual(all.slice(100, 200));
    });
  });
}

const A = parseServerName('a.example');
const B = parseServerName('b.example:8448');
const one = jsonTextOf({ n: 1, text: '"\u2028😀' });
const two = jsonTextOf({ n: 2 });
const three = jsonTextOf({ n: 3 });
const SEALED: SealedTransaction = { txnId: 't1', originServerTsMs: 1_700_000_000_000, eduCount: 2 };
