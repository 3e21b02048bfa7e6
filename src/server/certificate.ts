/** A certificate for the federation listener that nobody else has signed: for peers that check none. */
import { isIP } from 'node:net';

/** PEM texts. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for hosts: names, or addresses without brackets. It is good for a year. */
export async function createCertificate(hosts: readonly string[]): Promise<Certificate> {
  const { generate } = await import('selfsigned');
  const altNames = hosts.map((host) =>
    isIP(host) === 0 ? ({ type: 2, value: host } as const) : ({ type: 7, ip: host } as const),
  );
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'mx2s serve' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { cert, key };
}
