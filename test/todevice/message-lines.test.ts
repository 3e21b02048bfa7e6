import { describe, expect, it } from 'vitest';
import { InterruptedError, MatrixError, NetworkError, NotLoggedInError } from '../../src/errors.js';
import {
  sendMessageLines,
  type LineForm,
  type LineResult,
  type LineTally,
  type MessageLines,
  type OutgoingLine,
} from '../../src/todevice/message-lines.js';
import { parseEventType, parseRecipient, parseTransactionId } from '../../src/todevice/message.js';

const CONTENT: LineForm = {
  kind: 'content',
  recipient: parseRecipient('@:example.org'),
  type: parseEventType('org.example.a'),
};
const ENVELOPE: LineForm = {
  kind: 'envelope',
  defaults: { to: undefined, device: undefined, type: undefined },
};

const network = new NetworkError({ method: 'PUT', url: 'http://localhost' }, 'connection refused');
const refused = new MatrixError(
  { status: 403, errcode: 'M_FORBIDDEN', method: 'PUT', url: 'http://localhost' },
  'no',
);

describe('sendMessageLines', () => {
  it('sends each line and counts blank ones without sending them', async () => {
    const { sent, results, tally } = await send('{"n":1}\n\n \t\r\n{"n":2.0}\r\n{"n":3}');
    expect(sent.map(({ line, message, txnId }) => [line, message.content, txnId])).toEqual([
      [1, '{"n":1}', 'txn1'],
      [4, '{"n":2}', 'txn2'],
      [5, '{"n":3}', 'txn3'],
    ]);
    expect(results.map(({ line }) => line)).toEqual([1, 4, 5]);
    expect(tally).toEqual({ sent: 3, rejected: 0, failed: 0, exitCode: 0, stoppedAfter: undefined });
  });

  it('goes on after a line that cannot be sent, and keeps the first exit code', async () => {
    const { results, tally } = await send('[]\n{}\n{"a":1.5}\n{}\n', {
      send: ({ line }) => (line === 4 ? Promise.reject(refused) : Promise.resolve('ok')),
    });
    expect(results).toMatchObject([
      { line: 1, status: 'rejected', txnId: undefined, error: { reason: 'not_an_object' } },
      { line: 2, sent: 'ok' },
      { line: 3, status: 'rejected', txnId: undefined, error: { reason: 'fraction' } },
      { line: 4, status: 'rejected', txnId: 'txn2', error: refused },
    ]);
    expect(tally).toEqual({ sent: 1, rejected: 3, failed: 0, exitCode: 2, stoppedAfter: undefined });
  });

  it.each([
    [4, new NotLoggedInError('log in')],
    [5, network],
    [130, new InterruptedError('SIGINT')],
    [143, new InterruptedError('SIGTERM')],
  ])('stops at exit code %d', async (exitCode, error) => {
    const { results, tally } = await send('{}\n{}\n{}\n', {
      send: ({ line }) => (line === 2 ? Promise.reject(error) : Promise.resolve('ok')),
    });
    expect(results).toEqual([
      { line: 1, sent: 'ok' },
      { line: 2, status: 'failed', txnId: 'txn2', error },
    ]);
    expect(tally).toEqual({ sent: 1, rejected: 0, failed: 1, exitCode, stoppedAfter: 2 });
  });

  it('with --fail-fast stops at whatever fails', async () => {
    const { results, tally } = await send('{}\n[]\n{}\n', { failFast: true });
    expect(results.map(({ line }) => line)).toEqual([1, 2]);
    expect(tally).toMatchObject({ sent: 1, rejected: 1, exitCode: 2, stoppedAfter: 2 });
  });

  it('reports in order what was under way when it stopped', async () => {
    const { results, tally } = await send('{}\n{}\n{}\n{}\n{}\n', {
      concurrency: 3,
      send: async ({ line }) => {
        if (line === 1) await turns(10);
        if (line === 2) throw network;
        return 'ok';
      },
    });
    expect(results.map((result) => [result.line, 'error' in result ? result.status : 'sent'])).toEqual([
      [1, 'sent'],
      [2, 'failed'],
      [3, 'sent'],
    ]);
    expect(tally).toMatchObject({ exitCode: 5, stoppedAfter: 3 });
  });

  it('tells lines that are no text, each as what it is', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{}\n'),
      Buffer.from([0x22, 0xff, 0x22, 0x0a]),
      Buffer.from(`{"a":"${'x'.repeat(1024 * 1024)}"}\n{}\n`),
    ]);
    const { results, tally } = await send(bytes);
    expect(results).toMatchObject([
      { line: 1, sent: 'ok' },
      { line: 2, status: 'rejected', error: { reason: 'not_utf8' } },
      { line: 3, status: 'rejected', error: { reason: 'too_long' } },
      { line: 4, sent: 'ok' },
    ]);
    expect(tally.exitCode).toBe(2);
  });

  it('does not split at what only looks like the end of a line', async () => {
    const { sent } = await send('{"a":"\u2028\u2029\u0085"}\r\n');
    expect(sent.map(({ message }) => message.content)).toEqual(['{"a":"\u2028\u2029\u0085"}']);
  });

  it('takes the transaction ID of an envelope', async () => {
    const line = '{"to":"@:a","type":"t","content":{},"txn_id":"mine"}';
    const { sent } = await send(`${line}\n{"to":"@bob:b","device":"*","type":"u","content":{}}\n`, {
      form: ENVELOPE,
    });
    expect(sent.map(({ txnId, message }) => [txnId, message.recipient, message.type])).toEqual([
      ['mine', { to: '@:a', device: '' }, 't'],
      ['txn1', { to: '@bob:b', device: '*' }, 'u'],
    ]);
  });

  it('warns once of the command line, of each content, and once of what envelopes repeat', async () => {
    const fixed = await send('{}\n{}\n', { form: { ...CONTENT, type: parseEventType('m.a') } });
    expect(fixed.warnings).toHaveLength(1);
    const long = `{"a":"${'x'.repeat(60_000)}"}`;
    expect((await send(`${long}\n${long}\n`)).warnings).toEqual([
      'line 1: the content has 60008 bytes, close to the 65536 above which servers refuse it',
      'line 2: the content has 60008 bytes, close to the 65536 above which servers refuse it',
    ]);
    const envelope = '{"to":"@:a","type":"m.a","device":"*","content":{}}\n';
    expect((await send(envelope.repeat(3), { form: ENVELOPE })).warnings).toHaveLength(2);
  });

  it('refuses input that is empty, not input of blank lines', async () => {
    await expect(send('')).rejects.toMatchObject({ code: 'invalid_input', reason: 'empty' });
    expect((await send('\n\n')).tally).toMatchObject({ sent: 0, exitCode: 0 });
  });

  it('is ended by a bug, and by a report that fails', async () => {
    await expect(send('{}\n', { send: () => Promise.reject(new TypeError('oops')) })).rejects.toThrow('oops');
    const gone = new Error('gone');
    await expect(send('{}\n', { report: () => Promise.reject(gone) })).rejects.toBe(gone);
  });
});

async function send(
  input: string | Uint8Array,
  settings: Partial<MessageLines<string>> = {},
): Promise<{ sent: OutgoingLine[]; results: LineResult<string>[]; warnings: string[]; tally: LineTally }> {
  const sent: OutgoingLine[] = [];
  const results: LineResult<string>[] = [];
  const warnings: string[] = [];
  let count = 0;
  const tally = await sendMessageLines<string>({
    chunks: chunksOf(typeof input === 'string' ? Buffer.from(input) : input),
    form: CONTENT,
    concurrency: 1,
    failFast: false,
    freshTxnId: () => parseTransactionId(`txn${(count += 1)}`),
    report: async (reported) => void results.push(...reported),
    warn: (text) => warnings.push(text),
    signal: new AbortController().signal,
    ...settings,
    send: (outgoing) => {
      sent.push(outgoing);
      return settings.send?.(outgoing) ?? Promise.resolve('ok');
    },
  });
  return { sent, results, warnings, tally };
}

async function* chunksOf(bytes: Uint8Array) {
  for (let start = 0; start < bytes.length; start += 1000) {
    yield await Promise.resolve(bytes.subarray(start, start + 1000));
  }
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}
