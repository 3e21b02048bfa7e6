/** What the command of a hook writes, line by line, as much of it as is of use to somebody who reads it. */

/**
 * Forwards the lines of the streams: one budget for all of them, and then one line that says so. What comes after
 * is read, so that the command does not block, and dropped. A line that is too long comes in pieces.
 */
export function forwardOutput(
  streams: readonly NodeJS.ReadableStream[],
  onLine: (line: string) => void,
): void {
  const lines = streams.map(() => new LineReader(onLine));
  let room = MAX_OUTPUT_CHARACTERS;
  const finish = (): void => lines.forEach((reader) => reader.end());
  streams.forEach((stream, index) => {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      if (room < 0) return;
      lines[index]?.add(text.slice(0, room));
      room -= text.length;
      if (room >= 0) return;
      finish();
      onLine(OUTPUT_CUT);
    });
    stream.on('end', () => lines[index]?.end());
  });
}

/** Holds no more than a piece of a line. */
class LineReader {
  readonly #onLine: (line: string) => void;
  #rest = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split('\n');
    const rest = lines.pop() ?? '';
    for (const line of lines) this.#emit(line);
    this.#rest = rest.length > MAX_LINE_CHARACTERS ? this.#emitPieces(rest) : rest;
  }

  end(): void {
    if (this.#rest !== '') this.#onLine(this.#rest);
    this.#rest = '';
  }

  #emit(line: string): void {
    this.#onLine(this.#emitPieces(line));
  }

  /** All pieces but the last, which it gives back. */
  #emitPieces(line: string): string {
    let start = 0;
    while (line.length - start > MAX_LINE_CHARACTERS) {
      const end = start + MAX_LINE_CHARACTERS;
      this.#onLine(line.slice(start, end));
      start = end;
    }
    return line.slice(start);
  }
}

const MAX_OUTPUT_CHARACTERS = 64 * 1024;
const MAX_LINE_CHARACTERS = 8 * 1024;
const OUTPUT_CUT = '… output of the hook cut';
