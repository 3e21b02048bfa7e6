/** The files that the flags of `serve` name, read before anything begins. */
import { parseSigningKeyFile, type SigningKeys } from '../federation/signing-key.js';
import type { Certificate } from '../server/certificate.js';
import { parseNatsCredentials, type NatsCredentials } from '../subsystems/nats-connections.js';
import { readTextFrom } from '../ui/file-input.js';
import type { Context } from './context.js';
import type { ServeFederationOptions, ServeOptions } from './serve-options.js';

/** What was not named is undefined. */
export interface ServeFiles {
  readonly certificate: Certificate | undefined;
  readonly signingKeys: SigningKeys | undefined;
  /** PEM. */
  readonly federationCa: string | undefined;
  readonly natsCredentials: NatsCredentials | undefined;
}

/** The options that name files. */
interface FileOptions extends Pick<ServeOptions, 'natsCredsFile'> {
  readonly federation: Pick<ServeFederationOptions, 'certificateFiles' | 'signingKeyFile' | 'caCertFile'>;
}

/** @throws UnreadableFileError, InvalidInputError when a file cannot be read or holds something else */
export async function readServeFiles(
  { stdin }: Pick<Context, 'stdin'>,
  { federation, natsCredsFile }: FileOptions,
): Promise<ServeFiles> {
  const { certificateFiles, signingKeyFile, caCertFile } = federation;
  const read = async <Value>(
    file: string | undefined,
    what: string,
    parse: (text: string, file: string) => Value,
  ): Promise<Value | undefined> =>
    file === undefined ? undefined : parse(await readTextFrom(file, stdin, what), file);
  const cert = await read(certificateFiles?.cert, 'the certificate', asItIs);
  const key = await read(certificateFiles?.key, 'the private key', asItIs);
  return {
    certificate: cert === undefined || key === undefined ? undefined : { cert, key },
    signingKeys: await read(signingKeyFile, 'the signing key', parseSigningKeyFile),
    federationCa: await read(caCertFile, 'certificates', asItIs),
    natsCredentials: await read(natsCredsFile, 'the NATS credentials', parseNatsCredentials),
  };
}

function asItIs(text: string): string {
  return text;
}
