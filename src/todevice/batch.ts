/**
 * Work on a stream of items, several at a time, with the results in the order of the items and in constant memory.
 *
 * It knows nothing of messages: what the work is, where results go and when to stop is handed in.
 */

export interface Batch<Item, Result> {
  /** The items, in portions as they become known. */
  readonly source: AsyncIterable<readonly Item[]>;
  /** How many items are worked on at a time; with 1, each begins after the result of the one before it is known. */
  readonly concurrency: number;
  /** Works on one item. Rejects only for what ends the whole batch; a failure of the item is a result. */
  work(item: Item): Promise<Result>;
  /** After such a result no other item is begun; those already begun are brought to their end. */
  isLast(result: Result): boolean;
  /** Takes results, in order. While it is busy they gather, and are handed over together. */
  report(results: readonly Result[]): Promise<void>;
  /** When it aborts no other item is begun; `work` has to see for itself that it ends. */
  readonly signal: AbortSignal;
}

/**
 * Runs a batch, and resolves when all that was begun is reported.
 *
 * @returns whether every item was worked on; false after an `isLast` result or when the signal aborted
 * @throws what `source`, `work` or `report` reject with; nothing is begun or reported from then on
 */
export function runBatch<Item, Result>(batch: Batch<Item, Result>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    new BatchRun(batch, resolve, reject).advance();
  });
}

/** The place of an item in the order of results. */
interface Slot<Result> {
  outcome?: { readonly result: Result };
}

class BatchRun<Item, Result> {
  readonly #batch: Batch<Item, Result>;
  readonly #iterator: AsyncIterator<readonly Item[]>;
  readonly #resolve: (complete: boolean) => void;
  readonly #reject: (error: unknown) => void;
  readonly #maxOpen: number;
  /** Begun and not yet reported. */
  #slots: Slot<Result>[] = [];
  #portion: Iterator<Item> = [][Symbol.iterator]();
  #atWork = 0;
  #isReading = false;
  #isReporting = false;
  #sourceEnded = false;
  #stopped = false;

  constructor(
    batch: Batch<Item, Result>,
    resolve: (complete: boolean) => void,
    reject: (error: unknown) => void,
  ) {
    this.#batch = batch;
    this.#iterator = batch.source[Symbol.asyncIterator]();
    this.#resolve = resolve;
    this.#reject = reject;
    this.#maxOpen = batch.concurrency * OPEN_PER_WORKER;
    batch.signal.addEventListener('abort', this.#onAbort, { once: true });
    if (batch.signal.aborted) this.#stopped = true;
  }

  /** Does whatever can be done now; called again whenever something has changed. */
  advance(): void {
    this.#beginItems();
    if (!this.#isReporting) this.#report();
    if (this.#isOver()) this.#end();
  }

  #beginItems(): void {
    if (this.#isReading) return;
    while (this.#mayBegin()) {
      const { done, value } = this.#portion.next();
      if (done === true) {
        if (!this.#sourceEnded) this.#read();
        return;
      }
      this.#begin(value);
    }
  }

  #mayBegin(): boolean {
    return !this.#stopped && this.#atWork < this.#batch.concurrency && this.#slots.length < this.#maxOpen;
  }

  #begin(item: Item): void {
    const slot: Slot<Result> = {};
    this.#slots.push(slot);
    this.#atWork += 1;
    this.#batch.work(item).then((result) => {
      this.#atWork -= 1;
      slot.outcome = { result };
      if (this.#batch.isLast(result)) this.#stopped = true;
      this.advance();
    }, this.#fail);
  }

  #read(): void {
    this.#isReading = true;
    this.#iterator.next().then(
      ({ done, value }) => {
        this.#isReading = false;
        this.#sourceEnded = done === true;
        if (done !== true) this.#portion = value[Symbol.iterator]();
        this.advance();
      },
      (error: unknown) => {
        // a source may end with the same signal: what is begun is still reported
        if (!this.#stopped) this.#fail(error);
      },
    );
  }

  #report(): void {
    const results: Result[] = [];
    for (const { outcome } of this.#slots) {
      if (outcome === undefined) break;
      results.push(outcome.result);
    }
    if (results.length === 0) return;
    this.#slots.splice(0, results.length);
    this.#isReporting = true;
    this.#batch.report(results).then(() => {
      this.#isReporting = false;
      this.advance();
    }, this.#fail);
  }

  #isOver(): boolean {
    if (this.#atWork > 0 || this.#slots.length > 0 || this.#isReporting) return false;
    return this.#stopped || this.#sourceEnded;
  }

  #end(): void {
    this.#batch.signal.removeEventListener('abort', this.#onAbort);
    this.#resolve(this.#sourceEnded);
  }

  readonly #onAbort = (): void => {
    this.#stopped = true;
    this.advance();
  };

  readonly #fail = (error: unknown): void => {
    this.#stopped = true;
    this.#isReporting = true; // for good
    this.#batch.signal.removeEventListener('abort', this.#onAbort);
    this.#reject(error);
  };
}

/** A slow item may hold back the results of so many others, and no more: they wait in memory. */
const OPEN_PER_WORKER = 64;
