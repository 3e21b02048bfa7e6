import { describe, expect, it } from 'vitest';
import { InvalidInputError } from '../../src/errors.js';
import { parseCertificates } from '../../src/http/certificates.js';

describe('parseCertificates', () => {
  it.each(['', 'garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'refuses %j',
    (pem) => {
      expect(() => parseCertificates(pem)).toThrow(InvalidInputError);
    },
  );
});
