/** What Node says of a failed exchange, in words for people. */
import { NetworkError } from '../errors.js';
import { ProxyRefusal } from './open-socket.js';
import { printableUrl } from './printable-url.js';
import type { HttpRequest } from './request.js';

/** The connection was never made, so no byte of the request left: any method may be tried again. */
export class UnsentError extends NetworkError {}

/** No complete answer came in the time that there was. */
export class TimedOutError extends NetworkError {}

export interface Attempt {
  /** May the request have reached the server? */
  readonly sent: boolean;
  /** The proxy's URL without user information, if the request went through one. */
  readonly proxy: string | undefined;
}

/**
 * The error for an exchange that failed with `cause`.
 *
 * A certificate that does not check out will not do so a second later: not retryable. DNS failures, refused and
 * broken connections may pass.
 */
export function networkErrorOf(request: HttpRequest, { sent, proxy }: Attempt, cause: unknown): NetworkError {
  const url = printableUrl(request.url);
  const { said, hint, retryable } = explain(cause, request, proxy);
  const ErrorClass = sent ? NetworkError : UnsentError;
  return new ErrorClass({ method: request.method, url }, `${request.method} ${url}: ${said}`, {
    hint,
    cause,
    retryable,
  });
}

/** The error for an exchange that took longer than it may. */
export function timedOut(request: HttpRequest, timeoutMs: number): TimedOutError {
  const url = printableUrl(request.url);
  return new TimedOutError(
    { method: request.method, url },
    `${request.method} ${url}: no complete answer within ${String(timeoutMs / 1000)} s`,
    { hint: 'the server is slow or out of reach; try again later' },
  );
}

interface Explanation {
  readonly said: string;
  readonly hint: string;
  readonly retryable: boolean;
}

function explain(cause: unknown, { url, address }: HttpRequest, proxy: string | undefined): Explanation {
  const target = new URL(url);
  const passing = (said: string, hint: string): Explanation => ({ said, hint, retryable: true });
  const final = (said: string, hint: string): Explanation => ({ said, hint, retryable: false });
  const code = codeOf(cause);
  // what is looked up and connected to is the proxy, if there is one
  const peer = proxy === undefined ? target.host : `the proxy ${new URL(proxy).host}`;
  const isRunning = proxy === undefined ? 'is the server running, and is the port right?' : PROXY_HINT;

  // who names the address is a server among servers, which has flags of its own
  const trustHint = address === undefined ? TRUST_HINT : FEDERATION_TRUST_HINT;
  const certificate = certificateFault(code, target.hostname, trustHint);
  if (certificate !== undefined) {
    return final(`TLS certificate refused: ${certificate.said}`, certificate.hint);
  }
  switch (code) {
    case 'ENOTFOUND':
      return passing(
        `DNS does not know ${peer}`,
        proxy === undefined ? 'check the name of the server, and the network connection' : PROXY_HINT,
      );
    case 'EAI_AGAIN':
      return passing(`DNS gave no answer for ${peer}`, 'check the network connection and the name server');
    case 'ECONNREFUSED':
      return passing(`connection refused by ${peer}`, isRunning);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return passing(`no route to ${peer}`, 'check the network connection');
    case 'ETIMEDOUT':
      return passing(`connecting to ${peer} timed out`, isRunning);
    case 'ECONNRESET':
    case 'ECONNABORTED':
    case 'EPIPE':
      return passing('the connection was cut off before the answer was complete', 'try again');
  }
  if (cause instanceof ProxyRefusal) {
    return final(`${peer} refused: ${messageOf(cause)}`, PROXY_HINT);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return final(
      'TLS failed: the server does not speak it at this port, or only in versions that are no longer safe',
      'if the server speaks plain http here, say http://',
    );
  }
  // the codes of Node's HTTP parser
  if (code.startsWith('HPE_')) {
    return final('what answers does not speak HTTP', 'check host and port; if it speaks TLS, say https://');
  }
  return passing(messageOf(cause), 'try again, with --trace to see more');
}

/** Why a certificate was refused (the codes of OpenSSL's verification, as Node names them). */
function certificateFault(
  code: string,
  hostname: string,
  trustHint: string,
): { said: string; hint: string } | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return { said: 'it has expired', hint: "the server's administrator has to renew it" };
    case 'CERT_NOT_YET_VALID':
      return { said: 'it is not valid yet', hint: 'check the clock of this machine' };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { said: `it is not made out to ${hostname}`, hint: 'check the name of the server' };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { said: 'it is self-signed', hint: trustHint };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return { said: 'its issuer is not trusted here', hint: trustHint };
    case 'CERT_REVOKED':
    case 'CERT_REJECTED':
    case 'CERT_CHAIN_TOO_LONG':
    case 'CERT_SIGNATURE_FAILURE':
    case 'INVALID_CA':
    case 'INVALID_PURPOSE':
    case 'PATH_LENGTH_EXCEEDED':
    case 'HOSTNAME_MISMATCH':
      return { said: code.toLowerCase().replaceAll('_', ' '), hint: "tell the server's administrator" };
    default:
      return undefined;
  }
}

/** With several addresses for one name, Node gives one error that holds one per address. */
function codeOf(cause: unknown): string {
  if (typeof cause !== 'object' || cause === null) return '';
  if ('code' in cause && typeof cause.code === 'string') return cause.code;
  if (cause instanceof AggregateError) return codeOf(cause.errors[0]);
  return 'cause' in cause ? codeOf(cause.cause) : '';
}

function messageOf(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : '';
  return message === '' ? 'the exchange failed' : message;
}

const PROXY_HINT = 'check --proxy or HTTPS_PROXY';
const TRUST_HINT = 'name the certificate of its issuer with --cacert, or use --insecure for a test server';
const FEDERATION_TRUST_HINT =
  'name the certificate of its issuer with --federation-ca, or use --federation-insecure for tests';
