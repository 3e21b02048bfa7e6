/** `mx2s validate-id -` for millions of user IDs: the quick pass where it can tell, the careful way for all else. */
import { makeUserIdSorter, UNSORTED } from '../ids/user-id-sorter.js';
import { OutputPage } from '../ui/output-page.js';
import { IdTemplate } from '../ui/render/id-template.js';
import type { IdResult } from '../ui/render/validate-id.js';
import type { Output } from '../ui/streams.js';

export interface ManyUserIds {
  /** Whole lines, each with its `\n`: those that came at once. */
  readonly blocks: AsyncIterable<readonly Uint8Array[]>;
  /** The careful way, for any line. */
  examine(line: Uint8Array): IdResult;
  isShown(result: IdResult): boolean;
  render(result: IdResult): string;
  /** What `render` makes is the JSON text of the result, and a line end. */
  readonly isPlainJson: boolean;
}

/** Examines all of them, and prints those that are to be shown: what came at once in one write, if it is not much. */
export async function validateUserIds(
  ids: ManyUserIds,
  out: Output,
): Promise<{ total: number; invalid: number }> {
  const examination = new Examination(ids, out);
  for await (const blocks of ids.blocks) {
    for (const block of blocks) await examination.add(block);
    await examination.flush();
  }
  return examination;
}

class Examination {
  total = 0;
  invalid = 0;
  readonly #ids: ManyUserIds;
  readonly #page: OutputPage;
  readonly #sorter = makeUserIdSorter();
  /** By class. It has its length from the beginning: an array with wide gaps is a slow one. */
  readonly #known: (KnownClass | undefined)[] = Array.from({ length: this.#sorter.classes });

  constructor(ids: ManyUserIds, out: Output) {
    this.#ids = ids;
    this.#page = new OutputPage(out);
  }

  /** @param block whole lines, each with its `\n` */
  async add(block: Uint8Array): Promise<void> {
    const { sort, lines } = this.#sorter;
    let start = 0;
    while (start < block.length) {
      const count = sort(block, start);
      const startOf = (line: number): number => (line === 0 ? start : (lines[2 * line - 2] ?? 0) + 1);
      let line = 0;
      for (;;) {
        line = this.#goOn(block, startOf(line), line, count);
        if (line === count) break;
        const lineClass = lines[2 * line + 1] ?? UNSORTED;
        if (this.#known[lineClass] !== undefined && !this.#page.isEmpty) {
          await this.#page.flush(); // it was full
        } else {
          await this.#examine(block.subarray(startOf(line), lines[2 * line]), lineClass);
          line += 1;
        }
      }
      this.total += count;
      start = startOf(count);
    }
  }

  async flush(): Promise<void> {
    await this.#page.flush();
  }

  /**
   * The quick way, from a line on. (It is no part of `add`, for after a wait a function runs slowly for a while.)
   * @returns the first line that has to be examined by itself, or has no room on the page; else `count`
   */
  #goOn(block: Uint8Array, firstStart: number, firstLine: number, count: number): number {
    const { lines } = this.#sorter;
    let start = firstStart;
    for (let line = firstLine; line < count; line += 1) {
      const end = lines[2 * line] ?? 0;
      const like = this.#known[lines[2 * line + 1] ?? UNSORTED];
      if (like === undefined) return line;
      if (like.template !== undefined && !this.#page.fill(like.template, block, start, end)) return line;
      if (!like.isValid) this.invalid += 1;
      start = end + 1;
    }
    return count;
  }

  /** The careful way, for a line. What it finds holds for all lines of the same class. */
  async #examine(line: Uint8Array, lineClass: number): Promise<void> {
    const { examine, isShown, render, isPlainJson } = this.#ids;
    const result = examine(line);
    if (!result.valid) this.invalid += 1;
    const isPrinted = isShown(result);
    if (isPrinted) await this.#page.add(render(result));
    if (lineClass === UNSORTED || (isPrinted && !isPlainJson)) return;
    this.#known[lineClass] = {
      isValid: result.valid,
      template: isPrinted ? new IdTemplate(result) : undefined,
    };
  }
}

/** What was found of the first line of a class, and holds for the others. */
interface KnownClass {
  readonly isValid: boolean;
  /** How to print them; nothing, if they are not to be shown. */
  readonly template: IdTemplate | undefined;
}
