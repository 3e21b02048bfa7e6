import fs, { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { DiskError } from '../../src/errors.js';
import { OutboxFullError } from '../../src/federation/outbox-limits.js';
import type { DeviceId } from '../../src/ids/device-id.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import type { Store } from '../../src/store/store.js';
import { compactJson } from '../../src/wire/json.js';

const ALICE = parseUserId('@alice:hs.test');
const A = { userId: ALICE, deviceId: 'A' as DeviceId };
const THERE = parseServerName('there.test');
/** SQLite, "Database File Format", section 1.3. */
const USER_VERSION_OFFSET = 60;
const MARK = 'a mark that stands in no other place';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mx2s-sqlite-'));
  file = join(directory, 'data.db');
  onTestFinished(() => rmSync(directory, { recursive: true }));
});

/** A store with one device, which has one message. */
async function openWithMessage(): Promise<Store> {
  const store = await openSqliteStore(file);
  await store.createAccount({ userId: ALICE, passwordHash: undefined });
  const tokens = { accessTokenHash: 'a', refreshTokenHash: undefined, expiresTs: undefined };
  await store.openSession({ ...A, displayName: undefined }, tokens, { revokeOthers: false });
  const messages = [{ userId: ALICE, named: new Map(), others: compactJson(JSON.stringify({ mark: MARK })) }];
  await store.deliver({ sender: ALICE, type: 't', messages });
  return store;
}

/** Is the mark anywhere in the files? */
function leavesTrace(): boolean {
  const files = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isFile());
  return files.some(({ name }) => readFileSync(join(directory, name)).includes(MARK));
}

describe('a store in a file', () => {
  it('remembers everything when it is opened again', async () => {
    const first = await openWithMessage();
    await first.keepFact('server_name', 'hs.test');
    await first.outbox.append(THERE, [compactJson('1')]);
    await first.outbox.seal(THERE, { txnId: 'x', originServerTsMs: 1, eduCount: 1 });
    await first.deliver({
      sender: ALICE,
      type: 't',
      messages: [],
      once: { origin: THERE, messageId: 'm', nowTs: 0 },
    });
    await first.close();

    const second = await openSqliteStore(file);
    onTestFinished(() => second.close());
    expect(await second.fact('server_name')).toBe('hs.test');
    expect(await second.useAccessToken('a')).toMatchObject({ device: A });
    expect(await second.queued(A, 0, 9)).toMatchObject([{ content: JSON.stringify({ mark: MARK }) }]);
    expect(await second.outbox.head(THERE, 9)).toMatchObject({ edus: ['1'], sealed: { txnId: 'x' } });
    const once = { origin: THERE, messageId: 'm', nowTs: 1 };
    expect((await second.deliver({ sender: ALICE, type: 't', messages: [], once })).repeated).toBe(true);
  });

  it('knows how much waits for other servers when it is opened again, or when something failed', async () => {
    const limits = { maxEdus: 2, maxBytes: 1000 };
    const first = await openSqliteStore(file, undefined, limits);
    await first.outbox.append(THERE, [compactJson('1')]);
    const writing = vi.spyOn(fs, 'writeSync').mockImplementation(() => {
      throw new Error('ENOSPC');
    });
    await expect(first.outbox.append(THERE, [compactJson('2')])).rejects.toThrow(DiskError);
    writing.mockRestore();
    await first.outbox.append(THERE, [compactJson('2')]);
    await first.close();

    const second = await openSqliteStore(file, undefined, limits);
    onTestFinished(() => second.close());
    await expect(second.outbox.append(THERE, [compactJson('3')])).rejects.toThrow(OutboxFullError);
  });

  it('keeps no trace of what was acknowledged once it is closed', async () => {
    const store = await openWithMessage();
    expect(leavesTrace()).toBe(true);
    await store.acknowledge(A, 1);
    await store.close();
    expect(leavesTrace()).toBe(false);
  });

  it('keeps no trace of a deleted account', async () => {
    const store = await openWithMessage();
    onTestFinished(() => store.close());
    await store.deleteAccount(ALICE);
    expect(leavesTrace()).toBe(false);
  });

  it('is for its owner only', async () => {
    const store = await openSqliteStore(file);
    onTestFinished(() => store.close());
    const modes = ['', '-wal'].map((suffix) => statSync(`${file}${suffix}`).mode & 0o777);
    expect(modes).toEqual([0o600, 0o600]);
  });

  it('is of one format, and opens no other', async () => {
    await (await openSqliteStore(file)).close();
    const bytes = readFileSync(file);
    bytes.writeUInt32BE(99, USER_VERSION_OFFSET);
    writeFileSync(file, bytes);
    await expect(openSqliteStore(file)).rejects.toThrow(/has format 99, this program knows 1$/);
  });

  it('opens no file that is no database', async () => {
    writeFileSync(file, 'something else '.repeat(1000));
    await expect(openSqliteStore(file)).rejects.toThrow(
      /cannot open the database .*: file is not a database$/,
    );
  });
});
