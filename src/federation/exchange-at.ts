/** One exchange with whichever of a server's endpoints can be reached. */
import type { Clock } from '../clock.js';
import { UnsentError } from '../http/network-error.js';
import type { Answer, HttpRequest } from '../http/request.js';
import type { Transport } from '../http/transport.js';
import type { Endpoint } from './resolve.js';

export interface PinnedRequest extends HttpRequest {
  /** How long it may take with all endpoints together. */
  readonly timeoutMs: number;
}

/**
 * Sends `request` to the first endpoint that a connection can be made to; its URL gets that endpoint's port.
 *
 * @throws what the transport throws; of several endpoints that cannot be reached, what was said of the first
 */
export async function exchangeAt(
  endpoints: readonly Endpoint[],
  request: PinnedRequest,
  { transport, clock }: { readonly transport: Transport; readonly clock: Pick<Clock, 'monotonic'> },
  signal?: AbortSignal,
): Promise<Answer> {
  const endMs = clock.monotonic() + request.timeoutMs;
  let first: UnsentError | undefined;
  for (const { address, port } of endpoints) {
    const timeoutMs = endMs - clock.monotonic();
    if (first !== undefined && timeoutMs <= 0) break;
    const url = new URL(request.url);
    url.port = String(port);
    try {
      return await transport.exchange({ ...request, url: url.href, address, timeoutMs }, signal);
    } catch (error) {
      if (!(error instanceof UnsentError)) throw error;
      first ??= error;
    }
  }
  throw first ?? new Error('there is no endpoint to send to');
}
