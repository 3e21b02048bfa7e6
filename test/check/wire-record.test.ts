import { describe, expect, it } from 'vitest';
import { WireRecord } from '../../src/check/wire-record.js';
import { jsonTextOf } from '../../src/wire/json.js';
import type { Transport } from '../../src/http/transport.js';

const SYNC = { method: 'GET', url: 'http://hs.test/_matrix/client/v3/sync?timeout=0' } as const;
const LOGIN = {
  method: 'POST',
  url: 'http://hs.test/_matrix/client/v3/login',
  body: '{"password":"secret-password"}',
  accessToken: 'secret-token',
} as const;

function transport(body: string): Transport {
  return {
    exchange: async ({ url }) => ({ status: 200, headers: { server: 'x' }, body, url }),
    close: async () => undefined,
  };
}

describe('a record', () => {
  it('keeps what was asked and answered, without secrets and headers, and counts it', async () => {
    const record = new WireRecord('run-1');
    await record.around(transport('{"error":"secret-token, secret-password?"}')).exchange(LOGIN);
    expect(record.take()).toEqual([
      '> POST http://hs.test/_matrix/client/v3/login',
      '> {"password":"***"}',
      '< 200',
      '< {"error":"***, ***?"}',
    ]);
    expect(record.take()).toEqual([]);
    expect(record.requests).toBe(1);
  });

  it('keeps a sync only where it gives something of this run', async () => {
    const record = new WireRecord('run-1');
    await record.around(transport('{"next_batch":"s1"}')).exchange(SYNC);
    expect(record.take()).toEqual([]);
    await record.around(transport('{"content":"run-1-00001"}')).exchange(SYNC);
    expect(record.take()).toHaveLength(3);
    expect(record.requests).toBe(2);
  });

  it('keeps a failure, and passes it on', async () => {
    const record = new WireRecord('run-1');
    const broken = { ...transport(''), exchange: () => Promise.reject(new Error('cut off')) };
    await expect(record.around(broken).exchange(SYNC)).rejects.toThrow('cut off');
    expect(record.take()).toEqual([`> GET ${SYNC.url}`, '* cut off']);
  });

  it('keeps what another server sent, if it is of this run', () => {
    const record = new WireRecord('run-1');
    record.heard(jsonTextOf({ content: 'run-1-00001' }));
    record.heard(jsonTextOf({ content: 'another' }));
    expect(record.take()).toEqual(['< {"content":"run-1-00001"}']);
  });

  it('has an end', async () => {
    const record = new WireRecord('run-1');
    const recorded = record.around(transport('{}'));
    for (let count = 0; count < 300; count += 1) await recorded.exchange(LOGIN);
    expect(record.take().length).toBeLessThan(210);
    expect(record.requests).toBe(300);
  });

  it('closes what it records', async () => {
    let isClosed = false;
    const close = async (): Promise<void> => void (isClosed = true);
    await new WireRecord('run-1').around({ ...transport(''), close }).close();
    expect(isClosed).toBe(true);
  });
});
