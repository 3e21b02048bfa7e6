/** What ends an exchange before its answer is whole: its caller, or the clock. */

/**
 * One for each exchange. An AbortSignal would say the same, and to make one takes longer than all the rest that is done
 * here for a request.
 */
export class Limit {
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #reason: { readonly error: unknown } | undefined;
  #onEnd: ((error: unknown) => void) | undefined;

  /** @throws the signal's reason if it has aborted already */
  constructor(timeoutMs: number, timedOut: () => Error, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#signal = signal;
    this.#timer = setTimeout(() => this.#end(timedOut()), timeoutMs);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** @throws why it was reached, if it was */
  throwIfReached(): void {
    if (this.#reason !== undefined) throw this.#reason.error;
  }

  /** Calls `onEnd` when it is reached, instead of what was to be called until now. */
  watch(onEnd: ((error: unknown) => void) | undefined): void {
    this.#onEnd = onEnd;
  }

  /** Nothing is to be ended any more: no timer and no listener stays behind. */
  lift(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd = undefined;
  }

  readonly #onAbort = (): void => this.#end(this.#signal?.reason);

  #end(error: unknown): void {
    this.#reason ??= { error };
    this.#onEnd?.(this.#reason.error);
  }
}
