/** A map whose entries are forgotten when they are too old. Time comes in with each call, and never goes back far. */
export class ExpiringMap<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly ts: number }>();
  readonly #keptMs: number;

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  get(key: string, nowTs: number): Value | undefined {
    this.#forget(nowTs);
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: Value, nowTs: number): void {
    this.#entries.delete(key); // so that the order stays that of time
    this.#entries.set(key, { value, ts: nowTs });
  }

  #forget(nowTs: number): void {
    for (const [key, { ts }] of this.#entries) {
      if (ts > nowTs - this.#keptMs) return;
      this.#entries.delete(key);
    }
  }
}
