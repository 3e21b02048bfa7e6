/** What to do when another server does not believe us, or says nothing: it may want the key that we sign with. Pure. */
import { MatrixError, NetworkError } from '../errors.js';
import { SignatureRefusedError } from '../federation/federation-answer.js';
import type { Identity } from '../federation/server-keys.js';
import { TimedOutError } from '../http/network-error.js';
import type { KeyListener } from '../server/key-listener.js';

/**
 * The error with a hint about the key, where the key may be the reason: a server that refuses our signature says little
 * of why, and one that looks for the key in vain may be silent for longer than we wait. We know whether it has asked.
 *
 * @param listener undefined when the key is not published here
 */
export function withKeyHint(
  error: unknown,
  identity: Identity,
  listener: Pick<KeyListener, 'authority' | 'timesAsked' | 'tlsVisits'> | undefined,
): unknown {
  if (error instanceof SignatureRefusedError) {
    return new MatrixError(error, error.message, { hint: keyHint(identity, listener), cause: error });
  }
  if (error instanceof TimedOutError && (listener?.timesAsked ?? 0) === 0) {
    const hint = `it may wait for the key all the while; ${keyHint(identity, listener)}`;
    return new NetworkError(error, error.message, { hint, cause: error, retryable: error.retryable });
  }
  return error;
}

function keyHint({ serverName, keys }: Identity, listener: Parameters<typeof withKeyHint>[2]): string {
  if (listener === undefined) {
    return (
      `the other server fetches the key from ${serverName}: publish it there with --listen HOST:PORT, ` +
      'or for good with mx2s serve --signing-key'
    );
  }
  const { authority, timesAsked, tlsVisits } = listener;
  if (timesAsked > 0) {
    return (
      `the key was fetched at ${authority}, and is not believed: ` +
      `the other server may remember another ${keys[0].keyId} of ${serverName}, or be called by another name`
    );
  }
  if (tlsVisits > 0) {
    return (
      `the other server came to ${authority} for the key, and left without it: ` +
      'it may want a certificate that it can check, see --tls-cert'
    );
  }
  return (
    `nobody asked for the key at ${authority}: the name ${serverName} has to lead there, ` +
    'and a server that found nothing there before waits for some minutes'
  );
}
