/**
 * Text as bytes, one value a line (NDJSON).
 *
 * A line ends at `\n` only: `\r`, U+2028 and U+2029 belong to it, as JSON allows. What cannot be a line of text is told
 * as such in its place, so that one bad line does not end the whole input.
 */

export interface Line {
  /** From 1; empty lines count. */
  readonly number: number;
  /** The line without its end; or why there is no text. */
  readonly text: string | LineFault;
}

export interface LineFault {
  readonly fault: 'not_utf8' | 'too_long';
}

/** The lines of `chunks`, in portions: those that each chunk completes. Holds no more than a chunk and one line. */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<readonly Line[]> {
  const open = new OpenLine(maxBytes);
  let number = 0;
  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      open.add(chunk.subarray(start, end));
      lines.push({ number: (number += 1), text: open.take() });
      start = end + 1;
    }
    open.add(chunk.subarray(start));
    if (lines.length > 0) yield lines;
  }
  if (!open.isEmpty) yield [{ number: number + 1, text: open.take() }];
}

/** A line that has not ended yet. */
class OpenLine {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  add(part: Uint8Array): void {
    this.#bytes += part.byteLength;
    if (this.#bytes > this.#maxBytes) this.#parts = [];
    else if (part.byteLength > 0) this.#parts.push(part);
  }

  /** The line, decoded; the next one begins. */
  take(): Line['text'] {
    const [parts, bytes] = [this.#parts, this.#bytes];
    this.#parts = [];
    this.#bytes = 0;
    if (bytes > this.#maxBytes) return { fault: 'too_long' };
    const [first] = parts;
    try {
      return STRICT.decode(parts.length === 1 ? first : joined(parts, bytes));
    } catch {
      return { fault: 'not_utf8' };
    }
  }
}

function joined(parts: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const NEWLINE = 0x0a;
