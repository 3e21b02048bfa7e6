/**
 * The JSON line of `validate-id` as a form to fill in, for IDs that differ in the text of their parts only. Pure.
 *
 * The form is made from the line of one of them, so there is one rendering and not two.
 */
import type { IdResult } from './validate-id.js';

/** For user IDs of one class, whose text is UTF-8 and has nothing that JSON escapes. */
export class IdTemplate {
  readonly #beforeId: Uint8Array;
  /** Between ID and localpart; all that follows, where there are no parts. */
  readonly #behindId: Uint8Array;
  readonly #beforeServerName: Uint8Array;
  readonly #behindServerName: Uint8Array;
  readonly #hasParts: boolean;
  readonly #fixedBytes: number;

  /** @param result of any ID of the class */
  constructor(result: IdResult) {
    this.#hasParts = result.localpart !== null;
    const form = {
      ...result,
      id: BLANK,
      ...(this.#hasParts ? { localpart: BLANK, server_name: BLANK } : {}),
    };
    const pieces = `${JSON.stringify(form)}\n`.split(BLANK).map((piece) => new TextEncoder().encode(piece));
    [
      this.#beforeId = NOTHING,
      this.#behindId = NOTHING,
      this.#beforeServerName = NOTHING,
      this.#behindServerName = NOTHING,
    ] = pieces;
    this.#fixedBytes = pieces.reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Writes the line for the ID from `start` to `end` of `block` into `page` at `at`.
   * @returns where the line ends; `undefined` when there is no room for it
   */
  fill(page: Uint8Array, at: number, block: Uint8Array, start: number, end: number): number | undefined {
    if (at + this.#fixedBytes + 2 * (end - start) > page.length) return undefined;
    page.set(this.#beforeId, at);
    const idEnd = copy(block, start, end, page, at + this.#beforeId.length);
    page.set(this.#behindId, idEnd);
    const localpartStart = idEnd + this.#behindId.length;
    if (!this.#hasParts) return localpartStart;
    let colon = start;
    while (block[colon] !== COLON) colon += 1;
    const localpartEnd = copy(block, start + 1, colon, page, localpartStart);
    page.set(this.#beforeServerName, localpartEnd);
    const nameStart = localpartEnd + this.#beforeServerName.length;
    const nameEnd = copy(block, colon + 1, end, page, nameStart);
    page.set(this.#behindServerName, nameEnd);
    return nameEnd + this.#behindServerName.length;
  }
}

/** For a few bytes a loop is quicker than a view and `set`. @returns where the copy ends */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  const shift = at - start;
  for (let index = start; index < end; index += 1) to[index + shift] = from[index] ?? 0;
  return end + shift;
}

const NOTHING = new Uint8Array();
/** A character of the private use area, which JSON writes as it is, and nothing else in a result has. */
const BLANK = '\ue000';
const COLON = 0x3a;
