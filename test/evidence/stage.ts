/** What was started, to be ended in reverse order: all of it, also where one does not end well. */
export class Stage {
  readonly #ends: (() => Promise<unknown>)[] = [];

  add<Started>(started: Started, end: (started: Started) => Promise<unknown>): Started {
    this.#ends.unshift(() => end(started));
    return started;
  }

  async close(): Promise<void> {
    const faults: unknown[] = [];
    for (const end of this.#ends) await end().catch((fault: unknown) => faults.push(fault));
    if (faults.length > 0) throw faults[0];
  }
}
