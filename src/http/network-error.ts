/** What undici and Node say of a failed exchange, in words for people. */
import { NetworkError } from '../errors.js';
import { printableUrl } from './printable-url.js';
import type { HttpRequest } from './request.js';

/** The connection was never made, so no byte of the request left: any method may be tried again. */
export class UnsentError extends NetworkError {}

/**
 * The error for an exchange that failed with `cause`. `sent` says if the request may have reached the server.
 *
 * A certificate that does not check out will not do so a second later: not retryable. DNS failures, refused and
 * broken connections may pass.
 */
export function networkErrorOf(request: HttpRequest, sent: boolean, cause: unknown): NetworkError {
  const url = printableUrl(request.url);
  const code = codeOf(cause);
  const { said, hint, retryable } = explain(code, cause, new URL(request.url));
  const ErrorClass = sent ? NetworkError : UnsentError;
  return new ErrorClass({ method: request.method, url }, `${request.method} ${url}: ${said}`, {
    hint,
    cause,
    retryable,
  });
}

/** The error for an exchange that took longer than it may. */
export function timedOut(request: HttpRequest, timeoutMs: number): NetworkError {
  const url = printableUrl(request.url);
  return new NetworkError(
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

function explain(code: string, cause: unknown, { host, hostname }: URL): Explanation {
  const passing = (said: string, hint: string): Explanation => ({ said, hint, retryable: true });
  const final = (said: string, hint: string): Explanation => ({ said, hint, retryable: false });

  const certificate = certificateFault(code, hostname);
  if (certificate !== undefined)
    return final(`TLS certificate refused: ${certificate.said}`, certificate.hint);
  switch (code) {
    case 'ENOTFOUND':
      return passing(`DNS knows no host ${hostname}`, 'check the name of the server');
    case 'EAI_AGAIN':
      return passing(
        `DNS gave no answer for ${hostname}`,
        'check the network connection and the name server',
      );
    case 'ECONNREFUSED':
      return passing(`connection refused by ${host}`, 'is the server running, and is the port right?');
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return passing(`no route to ${host}`, 'check the network connection');
    case 'UND_ERR_CONNECT_TIMEOUT':
    case 'ETIMEDOUT':
      return passing(
        `connecting to ${host} timed out`,
        'is the server running, and does a firewall stand between?',
      );
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_CLOSED':
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return passing('the connection was cut off before the answer was complete', 'try again');
    case 'UND_ERR_ABORTED':
      return final(`the proxy refused: ${messageOf(cause)}`, 'check --proxy or HTTPS_PROXY');
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return final(
      'TLS failed: no common protocol, or no TLS at this port',
      'does the server speak plain http here?',
    );
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return final('what answers does not speak HTTP', 'check host and port');
  }
  return passing(messageOf(cause), 'try again, with --trace to see more');
}

/** Why a certificate was refused (the codes of OpenSSL's verification, as Node names them). */
function certificateFault(code: string, hostname: string): { said: string; hint: string } | undefined {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return { said: 'it has expired', hint: "the server's administrator has to renew it" };
    case 'CERT_NOT_YET_VALID':
      return { said: 'it is not valid yet', hint: 'check the clock of this machine' };
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return { said: `it is not made out to ${hostname}`, hint: 'check the name of the server' };
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return { said: 'it is self-signed', hint: TRUST_HINT };
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_UNTRUSTED':
      return { said: 'its issuer is not trusted here', hint: TRUST_HINT };
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

const TRUST_HINT = 'name the certificate of its issuer with --cacert, or use --insecure for a test server';
