/** `http(s)://…`: hands the message to a web service. */
import { UnsentError } from '../http/network-error.js';
import type { HttpRequest, HttpResponse } from '../http/request.js';
import { UnreachableError, encodeServerMessage, parseAnswers, type Handler } from './handler.js';

/** One HTTP exchange; whoever opens the server says how it is made. */
export type Exchange = (
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<Pick<HttpResponse, 'status' | 'body'>>;

/** POSTs the message as JSON. 200 with what `parseAnswers` takes is the answer, 204 is none, anything else a failure. */
export function createWebhook(url: string, exchange: Exchange): Handler {
  return async (message, signal) => {
    const headers = { 'content-type': 'application/json' };
    const body = encodeServerMessage(message);
    const response = await exchange({ method: 'POST', url, headers, body }, signal).catch(toUnreachable);
    if (response.status === 204) return undefined;
    if (response.status !== 200) throw new Error(`the web service answered ${response.status}`);
    return parseAnswers(response.body, message);
  };
}

function toUnreachable(cause: unknown): never {
  if (cause instanceof UnsentError) throw new UnreachableError(cause.url, cause.message, { cause });
  throw cause;
}
