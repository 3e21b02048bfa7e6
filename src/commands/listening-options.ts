/** Where other servers find us, and what we show them: flags that several commands have. Pure. */
import { InvalidInputError, UsageError } from '../errors.js';
import type { Flags } from './define.js';

export interface ListenAddress {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Reads `--listen`. @throws InvalidInputError */
export function parseListenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port <= MAX_PORT) return { host, port };
  throw new InvalidInputError(`--listen: '${text}' is not HOST:PORT`, {
    at: '--listen',
    hint: 'for example --listen 0.0.0.0:8448',
  });
}

/** A certificate and its private key, each in a file. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** Reads `--tls-cert` and `--tls-key`; undefined without them. @throws UsageError when there is only one of them */
export function parseCertificateFiles(flags: Flags): CertificateFiles | undefined {
  const [cert, key] = [flags.text('tlsCert'), flags.text('tlsKey')];
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new UsageError('--tls-cert and --tls-key belong together', { hint: 'give both, or neither' });
}

const MAX_PORT = 65_535;
