/** Collects output, so that it goes out in a few large writes. */
import type { Output } from './streams.js';

/** What writes itself. */
export interface Filling {
  /**
   * Writes into `page` at `at`.
   * @returns where it ends; `undefined` if there is no room for it
   */
  fill(page: Uint8Array, at: number, block: Uint8Array, start: number, end: number): number | undefined;
}

/** A page that fills up, and is written when it is full or asked to be. */
export class OutputPage {
  readonly #out: Output;
  readonly #bytes = new Uint8Array(PAGE_BYTES);
  #length = 0;

  constructor(out: Output) {
    this.#out = out;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Fills in a template with bytes of `block`. @returns false if there is no room for it on this page */
  fill(template: Filling, block: Uint8Array, start: number, end: number): boolean {
    const length = template.fill(this.#bytes, this.#length, block, start, end);
    if (length !== undefined) this.#length = length;
    return length !== undefined;
  }

  /** Adds a text, after what is there already. */
  async add(text: string): Promise<void> {
    const mostBytes = text.length * BYTES_PER_CODE_UNIT;
    if (this.#length + mostBytes > PAGE_BYTES) await this.flush();
    if (mostBytes > PAGE_BYTES) return await this.#out.write(text);
    this.#length += ENCODER.encodeInto(text, this.#bytes.subarray(this.#length)).written;
  }

  /** Writes what there is. */
  async flush(): Promise<void> {
    if (this.#length === 0) return;
    await this.#out.write(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
  }
}

const PAGE_BYTES = 1024 * 1024;
/** A code unit of UTF-16 is at most so long in UTF-8. */
const BYTES_PER_CODE_UNIT = 3;
const ENCODER = new TextEncoder();
