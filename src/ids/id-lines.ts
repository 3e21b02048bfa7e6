/**
 * Identifiers as bytes, one a line.
 *
 * A line ends at `\n` only, so `\r` belongs to the identifier. Each line counts, an empty one too; after the
 * last `\n` there is none. Bytes are decoded strictly and nothing is skipped, a byte order mark neither.
 */

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
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of chunks) {
    const bytes = joined(rest, chunk);
    const end = bytes.lastIndexOf(NEWLINE);
    if (end !== -1) yield decodeLines(bytes.subarray(0, end));
    rest = bytes.subarray(end + 1, end + 1 + MAX_LINE_BYTES);
  }
  if (rest.length > 0) yield decodeLines(rest);
}

/** `\n` is never part of a longer UTF-8 sequence, so lines decode together exactly as they do one by one. */
function decodeLines(bytes: Uint8Array): readonly IdLine[] {
  const text = decodeUtf8(bytes);
  if (text !== undefined) return text.split('\n');
  const lines: IdLine[] = [];
  for (let start = 0, end = 0; end < bytes.length; start = end + 1) {
    const newline = bytes.indexOf(NEWLINE, start);
    end = newline === -1 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    lines.push(decodeUtf8(line) ?? { shown: new TextDecoder('utf-8', { ignoreBOM: true }).decode(line) });
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

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;
const MAX_LINE_BYTES = 1024 * 1024;
