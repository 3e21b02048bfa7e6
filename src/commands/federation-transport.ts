/** Whom a command trusts among other servers, and how far it reaches. */
import { InvalidInputError } from '../errors.js';
import type { Reach } from '../federation/address.js';
import type { TrustedRoots } from '../http/certificates.js';
import { openTransport, type Transport } from '../http/transport.js';
import type { Context } from './context.js';
import { traceSink, trustIn } from './open-http.js';

/** From `--federation-ca` and `--federation-insecure`. */
export interface FederationTrust {
  /** PEM. */
  readonly caCertPem: string | undefined;
  /** Any certificate will do, and servers may be on this machine and in its network. */
  readonly insecure: boolean;
}

/**
 * Whoever names an authority has servers of their own, and these are seldom public: then all addresses are in reach.
 * @throws InvalidInputError when `--federation-ca` holds no certificate
 */
export async function openFederationTransport(
  context: Context,
  { caCertPem, insecure }: FederationTrust,
): Promise<{ readonly transport: Transport; readonly reach: Reach }> {
  const reach = insecure || caCertPem !== undefined ? 'any' : 'public';
  const trusted = caCertPem === undefined ? undefined : await federationTrustIn(caCertPem);
  return { transport: openTransport({ trusted, insecure, trace: traceSink(context) }), reach };
}

async function federationTrustIn(pem: string): Promise<TrustedRoots> {
  try {
    return await trustIn(pem);
  } catch (cause) {
    if (!(cause instanceof InvalidInputError)) throw cause;
    throw new InvalidInputError('--federation-ca holds no PEM certificate that can be read', {
      hint: cause.hint,
      at: '--federation-ca',
      cause,
    });
  }
}
