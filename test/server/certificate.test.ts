import { X509Certificate, createPrivateKey } from 'node:crypto';
import { expect, it } from 'vitest';
import { createCertificate } from '../../src/server/certificate.js';

it('a certificate is for the hosts that it was made for, and of its own key', async () => {
  const { cert, key } = await createCertificate(['127.0.0.1', '::1', 'example.org']);
  const certificate = new X509Certificate(cert);
  expect(certificate.subjectAltName).toBe(
    'IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:example.org',
  );
  expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(Date.parse(certificate.validTo)).toBeGreaterThan(Date.now() + 300 * 24 * 3_600_000);
});
