/** The other end of an outbox, for a test without sockets. */
import { expect } from 'vitest';
import type { Transmit } from '../../src/federation/outbox.js';
import type { OutgoingTransaction } from '../../src/federation/send-transaction.js';
import type { ServerName } from '../../src/ids/server-name.js';
import type { JsonText } from '../../src/wire/json.js';

/** Takes transactions as a server does: one with an ID that it has seen changes nothing. */
export class RecordingPeer {
  mostInFlight = 0;
  readonly #all = new Map<ServerName, OutgoingTransaction[]>();
  readonly #taken = new Map<ServerName, Map<string, readonly JsonText[]>>();
  readonly #failures = new Map<ServerName, Error[]>();
  readonly #lost = new Set<ServerName>();
  readonly #held = new Map<ServerName, { reached: () => void; opened: Promise<void> }>();
  readonly #inFlight: ServerName[] = [];
  readonly #mostInFlightTo = new Map<ServerName, number>();
  #watchers: (() => void)[] = [];

  readonly transmit: Transmit = async (destination, transaction, signal) => {
    this.#all.set(destination, [...this.transactions(destination), transaction]);
    this.#inFlight.push(destination);
    const toIt = this.#inFlight.filter((each) => each === destination).length;
    this.#mostInFlightTo.set(destination, Math.max(toIt, this.mostInFlightTo(destination)));
    this.mostInFlight = Math.max(this.mostInFlight, this.#inFlight.length);
    try {
      await this.#answer(destination, transaction, signal);
    } finally {
      this.#inFlight.splice(this.#inFlight.indexOf(destination), 1);
    }
  };

  async #answer(destination: ServerName, { txnId, edus: each }: OutgoingTransaction, signal: AbortSignal) {
    const held = this.#held.get(destination);
    held?.reached();
    await (held &&
      Promise.race([
        held.opened,
        new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
        ),
      ]));
    await Promise.resolve(); // an answer never comes at once
    const failure = this.#failures.get(destination)?.shift();
    if (failure !== undefined) throw failure;
    const taken = this.#taken.get(destination) ?? new Map<string, readonly JsonText[]>();
    if (!taken.has(txnId)) taken.set(txnId, each);
    this.#taken.set(destination, taken);
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
    if (this.#lost.delete(destination)) throw new Error('the answer was lost');
  }

  /** Everything that came, in order, also what failed. */
  transactions(destination: ServerName): readonly OutgoingTransaction[] {
    return this.#all.get(destination) ?? [];
  }

  /** What was taken, in order. */
  taken(destination: ServerName): readonly JsonText[] {
    return [...(this.#taken.get(destination)?.values() ?? [])].flat();
  }

  async took(destination: ServerName, count: number): Promise<void> {
    while (this.taken(destination).length < count) {
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
  }

  mostInFlightTo(destination: ServerName): number {
    return this.#mostInFlightTo.get(destination) ?? 0;
  }

  /** Fails that often, before it takes anything. */
  fail(destination: ServerName, count: number, error = new Error('down')): void {
    const failures = this.#failures.get(destination) ?? [];
    this.#failures.set(destination, [...failures, ...Array<Error>(count).fill(error)]);
  }

  /** Takes the next transaction, but its sender does not hear of it. */
  loseAnswer(destination: ServerName): void {
    this.#lost.add(destination);
  }

  /** Holds back what comes next, until it is let go. */
  hold(destination: ServerName): { readonly reached: Promise<void>; letGo(): void } {
    const reached = gate();
    const opened = gate();
    this.#held.set(destination, { reached: reached.open, opened: opened.passed });
    return {
      reached: reached.passed,
      letGo: () => {
        this.#held.delete(destination);
        opened.open();
      },
    };
  }

  expectRepeatsToBeEqual(destination: ServerName): void {
    const byId = new Map<string, OutgoingTransaction>();
    for (const transaction of this.transactions(destination)) {
      expect(transaction).toEqual(byId.get(transaction.txnId) ?? transaction);
      byId.set(transaction.txnId, transaction);
    }
  }
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}
