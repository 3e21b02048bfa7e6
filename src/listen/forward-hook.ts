/** `--forward-to URL`: each event is posted to a web service. */
import { HookFailedError, InvalidInputError, Mx2sError } from '../errors.js';
import { printableUrl } from '../http/printable-url.js';
import type { HttpRequest, HttpResponse } from '../http/request.js';
import { encodeReceivedEvent } from '../todevice/received.js';
import { withoutSecrets } from '../typed-text.js';
import type { Hook } from './hook.js';

export interface ForwardHookOptions {
  /** As `parseForwardUrl` gives it. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Makes a request, and repeats it as often as the user said. */
  send(request: HttpRequest, signal: AbortSignal): Promise<Pick<HttpResponse, 'status'>>;
}

/** POSTs the event as one JSON object. Any 2xx says that it was taken. */
export function forwardHook({ url, headers, send }: ForwardHookOptions): Hook {
  return async (event, signal) => {
    const body = encodeReceivedEvent(event);
    let status: number;
    try {
      ({ status } = await send(
        { method: 'POST', url, headers, body, maxBodyBytes: MAX_ANSWER_BYTES, mayCutBody: true },
        signal,
      ));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Mx2sError)) throw error;
      throw failure(url, error.message, error);
    }
    if (status < 200 || status > 299) throw failure(url, `it was answered ${status}`);
  };
}

/**
 * Reads the URL of a web service.
 * @throws InvalidInputError when it is none, or holds user information, which would show in the list of processes
 */
export function parseForwardUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidInputError(`--forward-to: ${JSON.stringify(withoutSecrets(text))} is no URL`, {
      reason: 'forward_url',
      hint: 'it begins with https:// or http://',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new InvalidInputError('--forward-to: the URL holds user information', {
      reason: 'forward_url',
      hint: 'put an Authorization header into a file, and name it with -H @FILE',
    });
  }
  return url.href;
}

function failure(url: string, what: string, cause?: unknown): HookFailedError {
  return new HookFailedError(`--forward-to ${printableUrl(url)}: ${what}`, {
    hint: 'mend it and listen again, the event comes again; or pass such events over with --on-hook-failure skip',
    cause,
  });
}

/** Of an answer, its status counts; a rate limit says in the body how long to wait. */
const MAX_ANSWER_BYTES = 64 * 1024;
