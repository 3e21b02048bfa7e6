/** Certificates that are trusted besides the default roots. Only who has some loads this file: Node's part of it is large. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { InvalidInputError } from '../errors.js';

/** Gives what connections are opened with: parsed once, and not before the first of them. */
export type TrustedRoots = () => SecureContext;

/**
 * Parses PEM. Node itself takes any text for a certificate, and then trusts nothing new.
 * @throws InvalidInputError
 */
export function parseCertificates(pem: string): TrustedRoots {
  const certificates = certificatesIn(pem);
  let context: SecureContext | undefined;
  return () => (context ??= createSecureContext({ ca: [...rootCertificates, ...certificates] }));
}

function certificatesIn(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  try {
    if (blocks.length === 0) throw new Error('no certificate found');
    return blocks.map((block) => new X509Certificate(block).toString());
  } catch (cause) {
    throw new InvalidInputError('--cacert holds no PEM certificate that can be read', {
      hint: 'it begins with -----BEGIN CERTIFICATE-----',
      at: '--cacert',
      cause,
    });
  }
}
