/** The texts that were added last, so many of them; what was added before is forgotten. */
export class RecentSet {
  readonly #texts = new Set<string>();
  /**
   * A ring in order of addition; the next goes to `#next`. The set knows the order, too, but to find its first again
   * and again takes time for each that was deleted.
   */
  readonly #order: string[] = [];
  readonly #kept: number;
  #next = 0;

  constructor(kept: number) {
    this.#kept = kept;
  }

  has(text: string): boolean {
    return this.#texts.has(text);
  }

  /** Adds what is not there. */
  add(text: string): void {
    const oldest = this.#order[this.#next];
    if (oldest !== undefined) this.#texts.delete(oldest);
    this.#texts.add(text);
    this.#order[this.#next] = text;
    this.#next = (this.#next + 1) % this.#kept;
  }
}
