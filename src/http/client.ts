/**
 * Sends a request until it has a final answer: the retry loop between the pure rules (retry.ts) and the
 * transport. The same request goes out unchanged each time, so that a transaction ID makes it safe.
 */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import { RateLimitedError } from '../errors.js';
import { parseMatrixError } from '../wire/matrix-error.js';
import { printableUrl } from './printable-url.js';
import type { Answer, HttpRequest, HttpResponse } from './request.js';
import { decideRetry, FRESH, type Outcome, type RetryPolicy } from './retry.js';
import { secretsOfRequest, strikeSecrets } from './trace.js';
import type { Transport } from './transport.js';

export type { RetryPolicy } from './retry.js';

/** Told before each wait. `attempt` is the number of the one that failed, from 1. */
export interface RetryNotice {
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string;
}

export interface HttpClientOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly chance: Pick<Chance, 'fraction'>;
  readonly policy: RetryPolicy;
  readonly onRetry?: ((notice: RetryNotice) => void) | undefined;
}

/** Sends requests, with the patience that its policy has. Opened once a run. */
export class HttpClient {
  readonly #options: HttpClientOptions;

  constructor(options: HttpClientOptions) {
    this.#options = options;
  }

  /** A client over the same connections with other patience, for a caller that has a loop of its own. */
  withPolicy(policy: RetryPolicy): HttpClient {
    return new HttpClient({ ...this.#options, policy });
  }

  /**
   * Gives the answer, whatever its status, after the retries that the policy allows.
   *
   * @throws RateLimitedError when rate limits ask for more than `maxWaitMs`; NetworkError, RedirectError and
   *   MalformedResponseError as the transport does; the signal's reason, also out of a wait
   */
  async send(request: HttpRequest, signal?: AbortSignal): Promise<HttpResponse> {
    const { transport, clock, chance, policy, onRetry } = this.#options;
    const start = clock.monotonic();
    let state = FRESH;
    for (let attempts = 1; ; attempts += 1) {
      const outcome = await outcomeOf(transport, request, signal);
      const decision = decideRetry({
        outcome,
        request,
        policy,
        state,
        nowMs: clock.now(),
        fraction: chance.fraction(),
      });
      if (decision.kind === 'again') {
        state = decision.state;
        onRetry?.({ attempt: attempts, delayMs: decision.delayMs, reason: decision.reason });
        await clock.sleep(decision.delayMs, signal);
        continue;
      }
      if ('error' in outcome) throw outcome.error;
      if (decision.kind === 'limited') {
        throw rateLimited(request, outcome.answer, decision.retryAfterMs, policy);
      }
      const { status, headers, body, url } = outcome.answer; // one by one: to spread an object takes longer than a retry rule
      return { status, headers, body, url, attempts, elapsedMs: Math.round(clock.monotonic() - start) };
    }
  }

  /** Drops every connection. */
  close(): Promise<void> {
    return this.#options.transport.close();
  }
}

async function outcomeOf(transport: Transport, request: HttpRequest, signal?: AbortSignal): Promise<Outcome> {
  try {
    return { answer: await transport.exchange(request, signal) };
  } catch (error) {
    signal?.throwIfAborted();
    return { error };
  }
}

function rateLimited(
  request: HttpRequest,
  answer: Answer,
  retryAfterMs: number,
  { maxWaitMs }: RetryPolicy,
): RateLimitedError {
  const named = parseMatrixError(answer.body).errcode;
  const errcode = named && strikeSecrets(named, secretsOfRequest(request));
  const seconds = String(Math.ceil(retryAfterMs / 1000));
  const limit = `${request.method} ${printableUrl(request.url)} is rate limited for ${seconds} s more`;
  const again = `try again in ${seconds} s`;
  // who waits for nothing was told to, or has a loop of its own
  const [message, hint] =
    maxWaitMs === 0
      ? [limit, again]
      : [
          `${limit}, and --max-wait allows ${String(maxWaitMs / 1000)} s in all`,
          `${again}, or allow more with --max-wait`,
        ];
  return new RateLimitedError({ retryAfterMs, status: answer.status, errcode }, message, { hint });
}
