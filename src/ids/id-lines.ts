/**
 * Identifiers as bytes, one a line.
 *
 * A line ends at `\n` only, so `\r` belongs to the identifier. Each line counts, an empty one too; after the
 * last `\n` there is none. Bytes are decoded strictly and nothing is skipped, a byte order mark neither.
 */

import { isContinuation } from './utf8.js';

/** A line's text; or, when its bytes are not UTF-8, what can be shown of it. */
export type IdLine = string | NotUtf8;

export interface NotUtf8 {
  /** The line with U+FFFD for what could not be decoded. */
  readonly shown: string;
}

/**
 * The lines of `chunks`, in batches: those that each chunk completes. Holds no more than a chunk and a line, and of
 * a line no more than its first MiB: what is longer is no identifier, whatever follows.
 */
export async function* idLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly IdLine[]> {
  for await (const blocks of idBlocks(chunks)) yield blocks.flatMap(decodeBlock);
}

/**
 * The same lines as bytes: blocks of whole lines, each with its `\n`, which a last line without one is given. What a
 * chunk completes comes as one or two blocks, so that hardly anything has to be copied; a block lasts as long as the chunk,
 * which may be overwritten when the next one is asked for.
 */
export async function* idBlocks(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly Uint8Array[]> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const firstEnd = rest.length === 0 ? 0 : chunk.indexOf(NEWLINE) + 1;
    const lastEnd = chunk.lastIndexOf(NEWLINE) + 1;
    if (lastEnd > 0) {
      const blocks = [lineOf(rest, chunk.subarray(0, firstEnd)), chunk.subarray(firstEnd, lastEnd)];
      rest = new Uint8Array();
      yield blocks.filter((block) => block.length > 0);
    }
    rest = copyOfBoth(rest, chunk.subarray(lastEnd)).subarray(0, MAX_LINE_BYTES + MAX_SEQUENCE_BYTES);
  }
  if (rest.length > 0) yield [lineOf(rest, Uint8Array.of(NEWLINE))];
}

/** Decodes a line, without its `\n`. */
export function decodeLine(line: Uint8Array): IdLine {
  return decodeUtf8(line) ?? { shown: new TextDecoder('utf-8', { ignoreBOM: true }).decode(line) };
}

/** `\n` is never part of a longer UTF-8 sequence, so lines decode together exactly as they do one by one. */
function decodeBlock(block: Uint8Array): readonly IdLine[] {
  const text = decodeUtf8(block.subarray(0, -1));
  if (text !== undefined) return text.split('\n');
  const lines: IdLine[] = [];
  for (let start = 0; start < block.length;) {
    const end = block.indexOf(NEWLINE, start);
    lines.push(decodeLine(block.subarray(start, end)));
    start = end + 1;
  }
  return lines;
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return STRICT.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A line from its beginning and its end, which has the `\n`. Of a very long one, the first MiB, up to a whole character. */
function lineOf(beginning: Uint8Array, end: Uint8Array): Uint8Array {
  const line = copyOfBoth(beginning, end);
  if (line.length <= MAX_LINE_BYTES + 1) return line;
  let cut = MAX_LINE_BYTES;
  while (cut > MAX_LINE_BYTES - MAX_SEQUENCE_BYTES && isContinuation(line[cut] ?? 0)) cut -= 1;
  line[cut] = NEWLINE;
  return line.subarray(0, cut + 1);
}

function copyOfBoth(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;
const MAX_LINE_BYTES = 1024 * 1024;
/** Of UTF-8. */
const MAX_SEQUENCE_BYTES = 4;
