/** How `serve` deals with other servers: whom it trusts, how far it reaches, and what it tells of what goes wrong. */
import type { OutboxFailure } from '../federation/outbox.js';
import type { FederationOptions } from '../server/federation.js';
import type { RunningServer } from '../server/listen.js';
import type { Context } from './context.js';
import { openFederationTransport } from './federation-transport.js';
import type { ServeFiles } from './serve-files.js';

/** @throws InvalidInputError when `--federation-ca` holds no certificate */
export async function federationOptions(
  context: Context,
  { signingKeys, federationCa: caCertPem }: ServeFiles,
  insecure: boolean,
): Promise<FederationOptions> {
  const { talk } = context;
  return {
    signingKeys,
    ...(await openFederationTransport(context, { caCertPem, insecure })),
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

/** What came from other servers and was dropped; undefined when nothing was. */
export function droppedWords({ droppedEdus }: Pick<RunningServer, 'droppedEdus'>): string | undefined {
  const { other_edu: ofOtherTypes, bad_shape: malformed, spoofed } = droppedEdus;
  if (ofOtherTypes + malformed + spoofed === 0) return undefined;
  return `dropped EDUs of other servers: ${ofOtherTypes} of types that are not for us, ${malformed} malformed, ${spoofed} spoofed`;
}

function unsentWords({ destination, failures, delayMs, error }: OutboxFailure): string {
  const seconds = String(Math.ceil(delayMs / 1000));
  return `cannot send to ${destination} (attempt ${String(failures)}): ${wordsOf(error)}; next in ${seconds} s`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
