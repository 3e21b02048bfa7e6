/** What another server sent, kept in order, and waiting for what is still to come. */
import type { Clock } from '../clock.js';
import { encodeJson, type JsonNode, type JsonText } from '../wire/json.js';

export class EduLog {
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #onKept: (edu: JsonText) => void;
  readonly #edus: JsonNode[] = [];
  readonly #txnIds = new Set<string>();
  #characters = 0;
  #isFull = false;
  #isAwaited = false;
  #watchers: (() => void)[] = [];

  /** @param onKept told of each EDU that is kept */
  constructor(clock: Pick<Clock, 'sleep'>, onKept: (edu: JsonText) => void = () => undefined) {
    this.#clock = clock;
    this.#onKept = onKept;
  }

  /** Every EDU so far, as it came. */
  get all(): readonly JsonNode[] {
    return this.#edus;
  }

  /** Was an EDU waited for, and did none come at all? */
  get isAwaitedInVain(): boolean {
    return this.#isAwaited && this.#edus.length === 0;
  }

  /**
   * Keeps the EDUs of a transaction, unless it came before. After what goes beyond 10,000, or 32 Mi characters, nothing
   * is kept, so that nobody takes what came later for a sign that nothing came before.
   */
  keep(txnId: string, edus: readonly JsonNode[]): void {
    const texts = edus.map(encodeJson);
    const characters = texts.reduce((sum, { length }) => sum + length, this.#characters);
    this.#isFull ||= this.#edus.length + edus.length > MAX_EDUS || characters > MAX_CHARACTERS;
    if (this.#isFull || this.#txnIds.has(txnId)) return;
    this.#characters = characters;
    this.#txnIds.add(txnId);
    this.#edus.push(...edus);
    for (const text of texts) this.#onKept(text);
    for (const wake of this.#watchers.splice(0)) wake();
  }

  /**
   * What `read` makes of the first EDU that it can read, of those that came and those to come; undefined when there is
   * none after `timeoutMs`.
   * @throws the signal's reason
   */
  async first<Read>(
    read: (edu: JsonNode) => Read | undefined,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<Read | undefined> {
    this.#isAwaited = true;
    const ended = new AbortController();
    const patience = this.#clock
      .sleep(timeoutMs, signal ? AbortSignal.any([signal, ended.signal]) : ended.signal)
      .then(() => 'over' as const);
    patience.catch(() => undefined); // it is also called off when the EDU came
    try {
      for (let next = 0; ;) {
        for (; next < this.#edus.length; next += 1) {
          const edu = this.#edus[next];
          const found = edu && read(edu);
          if (found !== undefined) return found;
        }
        const grown = new Promise<void>((resolve) => this.#watchers.push(resolve));
        if ((await Promise.race([grown, patience])) === 'over') return undefined;
      }
    } finally {
      ended.abort();
    }
  }
}

const MAX_EDUS = 10_000;
const MAX_CHARACTERS = 32 * 1024 * 1024;
