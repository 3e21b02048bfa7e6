/** Where a redirect may lead (RFC 9110 section 15.4), so that neither a token nor a message goes astray. Pure. */
import { RedirectError } from '../errors.js';
import { isLoopbackHost } from './loopback.js';
import { printableUrl } from './printable-url.js';
import type { HttpRequest } from './request.js';
import { secretsOfRequest, strikeSecrets } from './trace.js';

/** Is this an answer that names another place? 304 and friends carry no `Location`. */
export function redirectTarget(answer: {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}): string | undefined {
  return answer.status >= 300 && answer.status < 400 ? answer.headers['location'] : undefined;
}

/**
 * The request that follows `location`, after `followed` redirects were followed already.
 *
 * Same origin: a GET follows any redirect, another method only 307 and 308, which keep it. Another origin:
 * only a request that says `anywhere` (`.well-known`: Client-Server API v1.20, MSC4402), without token and
 * headers of ours, and never from https to plain http.
 *
 * @throws RedirectError when it is not followed; the hint names the new URL
 */
export function followRedirect(
  request: HttpRequest,
  status: number,
  location: string,
  followed: number,
): HttpRequest {
  const target = URL.canParse(location, request.url) ? new URL(location, request.url) : undefined;
  const secrets = secretsOfRequest(request);
  const from = `${String(status)} from ${request.method} ${strikeSecrets(printableUrl(request.url), secrets)}`;
  if (target === undefined || !/^https?:$/.test(target.protocol)) {
    throw new RedirectError(
      strikeSecrets(location, secrets),
      `${from} redirects to what is no http or https URL`,
      {
        hint: 'check the homeserver URL',
      },
    );
  }
  const to = strikeSecrets(printableUrl(target.href), secrets); // the server may repeat them in its path
  const anywhere = request.redirects === 'anywhere';
  if (followed >= (anywhere ? MAX_REDIRECTS_ANYWHERE : MAX_REDIRECTS)) {
    throw new RedirectError(to, `${from} is one redirect too many, to ${to}`, {
      hint: `check ${to}: the server seems to redirect in a circle`,
    });
  }
  if (request.method !== 'GET' && status !== 307 && status !== 308) {
    throw new RedirectError(to, `${from} redirects to ${to} and would change the method`, {
      hint: hintFor(to),
    });
  }
  if (target.origin === new URL(request.url).origin) return { ...request, url: target.href };

  if (!anywhere) {
    throw new RedirectError(to, `${from} redirects to another origin, ${to}`, { hint: hintFor(to) });
  }
  if (isDowngrade(request.url, target)) {
    throw new RedirectError(to, `${from} redirects from https to plain http, ${to}`, {
      hint: 'the server has to redirect to an https URL',
    });
  }
  return { ...request, url: target.href, headers: undefined, accessToken: undefined };
}

function isDowngrade(from: string, to: URL): boolean {
  return from.startsWith('https:') && to.protocol === 'http:' && !isLoopbackHost(to.hostname);
}

/** The homeserver URL is what stands before the API's own path. */
function hintFor(to: string): string {
  const base = /^(.*)\/_matrix\/client\//.exec(to)?.[1];
  return base === undefined
    ? `if ${to} is where the server lives now, use that URL`
    : `if the homeserver has moved there, use --homeserver ${base}`;
}

const MAX_REDIRECTS = 3;
const MAX_REDIRECTS_ANYWHERE = 5;
