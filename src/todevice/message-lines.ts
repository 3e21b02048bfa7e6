/**
 * Messages as NDJSON: one a line, sent as they are read, with a result for each in the order of the lines.
 *
 * What sends, and what shows a result, is handed in. A line that fails is a result and not an error, so that one
 * bad line does not hide what became of the others.
 */
import { InvalidInputError } from '../errors.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { splitLines, type Line, type LineFault } from '../wire/lines.js';
import { runBatch } from './batch.js';
import { parseEnvelope, type Envelope, type EnvelopeDefaults } from './envelope.js';
import {
  contentWarnings,
  eventTypeWarnings,
  parseContent,
  recipientWarnings,
  type EventType,
  type OutgoingMessage,
  type Recipient,
  type TransactionId,
} from './message.js';

/** What a line holds: the content of a message for one recipient, or an envelope. */
export type LineForm =
  | { readonly kind: 'content'; readonly recipient: Recipient; readonly type: EventType }
  | { readonly kind: 'envelope'; readonly defaults: EnvelopeDefaults };

export interface MessageLines<Sent> {
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly form: LineForm;
  /** How many messages are under way at a time; 1 keeps them in order at the server, too. */
  readonly concurrency: number;
  /** Stop at the first line that fails, whatever the reason. */
  readonly failFast: boolean;
  freshTxnId(): TransactionId;
  send(outgoing: OutgoingLine): Promise<Sent>;
  report(results: readonly LineResult<Sent>[]): Promise<void>;
  warn(text: string): void;
  /** When it aborts no further line is begun. Those under way are reported when `send` has ended. */
  readonly signal: AbortSignal;
}

export interface OutgoingLine {
  readonly line: number;
  readonly message: OutgoingMessage;
  readonly txnId: TransactionId;
}

/** What became of one line. */
export type LineResult<Sent> = SentLine<Sent> | UnsentLine;

export interface SentLine<Sent> {
  readonly line: number;
  readonly sent: Sent;
}

export interface UnsentLine {
  readonly line: number;
  /** `rejected`: it cannot be sent, or the homeserver refused it. `failed`: it may do better another time. */
  readonly status: 'rejected' | 'failed';
  /** There was a request, and it can be repeated under this ID. */
  readonly txnId: TransactionId | undefined;
  readonly error: unknown;
}

/** What became of all lines. */
export interface LineTally {
  readonly sent: number;
  readonly rejected: number;
  readonly failed: number;
  /** That of the first failing line; 0 when there is none. */
  readonly exitCode: ExitCode;
  /** The last line that was tried, when lines after it were not. */
  readonly stoppedAfter: number | undefined;
}

/**
 * Sends all lines. What would exit 1 or 2 is `rejected`, and the next lines go on; 4, 5 and 6 are `failed`, and no
 * further line is begun.
 *
 * @throws InvalidInputError when there is no input at all; what `report` throws; whatever is a bug
 */
export async function sendMessageLines<Sent>(lines: MessageLines<Sent>): Promise<LineTally> {
  const tally = { sent: 0, rejected: 0, failed: 0, exitCode: 0 as ExitCode, lastLine: 0 };
  const warn = once(lines.warn);
  if (lines.form.kind === 'content') warnOf(lines.form, warn);

  const complete = await runBatch<Line, LineResult<Sent>>({
    source: messagesIn(splitLines(lines.chunks, MAX_LINE_BYTES)),
    concurrency: lines.concurrency,
    work: (line) => sendLine(lines, line, warn),
    isLast: (result) => 'error' in result && (lines.failFast || result.status === 'failed'),
    report: async (results) => {
      for (const result of results) {
        tally.lastLine = result.line;
        if ('error' in result) {
          tally[result.status] += 1;
          if (tally.exitCode === 0) tally.exitCode = exitCodeOf(result.error);
        } else {
          tally.sent += 1;
        }
      }
      await lines.report(results);
    },
    signal: lines.signal,
  });
  const { lastLine, ...counts } = tally;
  return { ...counts, stoppedAfter: complete ? undefined : lastLine };
}

async function sendLine<Sent>(
  { form, freshTxnId, send }: MessageLines<Sent>,
  { number, text }: Line,
  warn: (text: string) => void,
): Promise<LineResult<Sent>> {
  let txnId: TransactionId | undefined;
  try {
    const { message, txnId: given } = parseMessageLine(text, form);
    if (form.kind === 'envelope') warnOf(message, warn);
    for (const warning of contentWarnings(message.content)) warn(`line ${number}: ${warning}`);
    txnId = given ?? freshTxnId();
    return { line: number, sent: await send({ line: number, message, txnId }) };
  } catch (error) {
    const exitCode = exitCodeOf(error);
    if (exitCode === BUG) throw error;
    return { line: number, status: exitCode <= 2 ? 'rejected' : 'failed', txnId, error };
  }
}

function parseMessageLine(text: Line['text'], form: LineForm): Envelope {
  if (typeof text !== 'string') throw unreadable(text);
  if (form.kind === 'envelope') return parseEnvelope(text, form.defaults);
  const { recipient, type } = form;
  return { message: { recipient, type, content: parseContent(text) }, txnId: undefined };
}

/** Leaves out blank lines. @throws InvalidInputError when there is not a single line */
async function* messagesIn(portions: AsyncIterable<readonly Line[]>): AsyncGenerator<readonly Line[]> {
  let isEmpty = true;
  for await (const portion of portions) {
    isEmpty = false;
    yield portion.filter(({ text }) => typeof text !== 'string' || !BLANK.test(text));
  }
  if (isEmpty) {
    throw new InvalidInputError('messages were to come from stdin, which is empty', {
      reason: 'empty',
      hint: 'pipe something in, one JSON object a line',
    });
  }
}

function unreadable({ fault }: LineFault): InvalidInputError {
  return fault === 'not_utf8'
    ? new InvalidInputError('the line is not UTF-8', { reason: fault })
    : new InvalidInputError(`the line is longer than ${MAX_LINE_BYTES} bytes`, {
        reason: fault,
        hint: 'put one JSON object on each line',
      });
}

function warnOf(
  { recipient, type }: Pick<OutgoingMessage, 'recipient' | 'type'>,
  warn: (text: string) => void,
): void {
  for (const warning of [...recipientWarnings(recipient), ...eventTypeWarnings(type)]) warn(warning);
}

/** Says each text once; after very many different ones nothing more, so that memory stays what it is. */
function once(warn: (text: string) => void): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text) || said.size >= MAX_DIFFERENT_WARNINGS) return;
    said.add(text);
    warn(text);
  };
}

const BLANK = /^[ \t\r]*$/;
const BUG = 70;
/** Far more than the longest content needs, escapes and white space included. */
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_DIFFERENT_WARNINGS = 1000;
