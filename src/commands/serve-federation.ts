/** How `serve` deals with other servers: whom it trusts, how far it reaches, and what it tells of what goes wrong. */
import { InvalidInputError } from '../errors.js';
import type { OutboxFailure } from '../federation/outbox.js';
import { openTransport, type Transport, type TransportOptions } from '../http/transport.js';
import type { FederationOptions } from '../server/federation.js';
import type { Context } from './context.js';
import { traceSink } from './open-http.js';
import type { ServeFiles } from './serve-files.js';

/** @throws InvalidInputError when `--federation-ca` holds no certificate */
export function federationOptions(
  context: Context,
  { signingKeys, federationCa: caCertPem }: ServeFiles,
  insecure: boolean,
): FederationOptions {
  const { talk } = context;
  return {
    signingKeys,
    transport: openFederationTransport({ caCertPem, insecure, trace: traceSink(context) }),
    // whoever names an authority has servers of their own, and these are seldom public
    reach: insecure || caCertPem !== undefined ? 'any' : 'public',
    onUnsent: (failure) => {
      // of a server that is down, once is enough for who does not ask for more
      if (failure.failures === 1) talk.notice(unsentWords(failure));
      else talk.detail(unsentWords(failure));
    },
    onRefused: (error, cause) => {
      const why = cause === undefined ? '' : ` (${wordsOf(cause)})`;
      talk.detail(`refused a request of another server: ${error}${why}`);
    },
  };
}

function openFederationTransport(options: TransportOptions): Transport {
  try {
    return openTransport(options);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new InvalidInputError('--federation-ca holds no PEM certificate that can be read', {
      hint: cause.hint,
      at: '--federation-ca',
      cause,
    });
  }
}

function unsentWords({ destination, failures, delayMs, error }: OutboxFailure): string {
  const seconds = String(Math.ceil(delayMs / 1000));
  return `cannot send to ${destination} (attempt ${String(failures)}): ${wordsOf(error)}; next in ${seconds} s`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
