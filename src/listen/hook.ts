/** What is done with an event before it is printed: a command is run, or a web service is told. */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { HookFailedError } from '../errors.js';
import { backoffMs } from '../http/retry.js';
import type { ReceivedEvent } from '../todevice/received.js';

/**
 * Hands one event over, and resolves when it was taken.
 * Rejects with a HookFailedError when it was not, with the signal's reason when that aborts.
 */
export type Hook = (event: ReceivedEvent, signal: AbortSignal) => Promise<void>;

export interface HookRetry {
  readonly retries: number;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  /** Told before each wait. */
  onRetry(error: HookFailedError, delayMs: number): void;
}

/** A hook that tries again what failed, with growing pauses. The last failure is thrown. */
export function retryingHook(hook: Hook, { retries, clock, chance, onRetry }: HookRetry): Hook {
  return async (event, signal) => {
    for (let failures = 0; ; failures += 1) {
      try {
        await hook(event, signal);
        return;
      } catch (error) {
        if (!(error instanceof HookFailedError) || failures >= retries) throw error;
        const delayMs = backoffMs(failures, chance.fraction());
        onRetry(error, delayMs);
        await clock.sleep(delayMs, signal);
      }
    }
  };
}
