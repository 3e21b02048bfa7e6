import { describe, expect, it, onTestFinished } from 'vitest';
import { NetworkError } from '../../src/errors.js';
import { UnsentError } from '../../src/http/network-error.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport, type TransportOptions } from '../../src/http/transport.js';
import * as certificates from './certificates.js';
import { json, startLoopbackServer, type LoopbackServer } from './loopback-server.js';

const TRUSTING = { trusted: parseCertificates(certificates.AUTHORITY) };

function startTlsServer(cert: string): Promise<LoopbackServer> {
  return startLoopbackServer((_asked, response) => json(response, 200, {}), { cert, key: certificates.KEY });
}

async function visit(url: string, options: TransportOptions): Promise<number | NetworkError> {
  const transport = openTransport(options);
  onTestFinished(() => transport.close());
  try {
    return (await transport.exchange({ method: 'GET', url })).status;
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
}

describe('a certificate', () => {
  const accepted: [name: string, cert: string, options: TransportOptions][] = [
    ['of an authority given by --cacert', certificates.GOOD, TRUSTING],
    [
      'of an authority among others',
      certificates.GOOD,
      { trusted: parseCertificates(`# ours\n${certificates.SELF_SIGNED}\n${certificates.AUTHORITY}`) },
    ],
    [
      'that is self-signed and given itself',
      certificates.SELF_SIGNED,
      { trusted: parseCertificates(certificates.SELF_SIGNED) },
    ],
    ['of nobody, with --insecure', certificates.SELF_SIGNED, { insecure: true }],
    ['that has expired, with --insecure', certificates.EXPIRED, { insecure: true }],
    ['for another name, with --insecure', certificates.ELSEWHERE, { insecure: true, ...TRUSTING }],
  ];
  it.each(accepted)('%s is accepted', async (_name, cert, options) => {
    const server = await startTlsServer(cert);
    expect(await visit(server.url, options)).toBe(200);
  });

  const refused: [name: string, cert: string, options: TransportOptions, says: string][] = [
    ['of an authority nobody gave', certificates.GOOD, {}, 'its issuer is not trusted here'],
    ['that is self-signed', certificates.SELF_SIGNED, {}, 'it is self-signed'],
    ['that has expired', certificates.EXPIRED, TRUSTING, 'it has expired'],
    ['that is not valid yet', certificates.NOT_YET_VALID, TRUSTING, 'it is not valid yet'],
    ['for another name', certificates.ELSEWHERE, TRUSTING, 'it is not made out to 127.0.0.1'],
  ];
  it.each(refused)('%s is refused for good, and nothing sent', async (_name, cert, options, says) => {
    const server = await startTlsServer(cert);
    const error = await visit(server.url, options);
    expect(error).toBeInstanceOf(UnsentError);
    expect(error).toMatchObject({
      message: `GET ${server.url}/: TLS certificate refused: ${says}`,
      retryable: false,
    });
    expect(server.asked).toEqual([]);
  });
});

describe('the wrong scheme', () => {
  it('https to a server of plain http fails for good', async () => {
    const server = await startLoopbackServer((_asked, response) => json(response, 200, {}));
    expect(await visit(server.url.replace('http:', 'https:'), {})).toMatchObject({
      message: expect.stringContaining('TLS failed') as string,
      retryable: false,
    });
  });

  it('http to a server of https fails, and says something', async () => {
    const server = await startTlsServer(certificates.GOOD);
    expect(await visit(server.url.replace('https:', 'http:'), {})).toMatchObject({ code: 'network' });
  });
});
