/** `mx2s keygen`: makes the signing key of a server, for `serve` and for `send --as`. */
import { UsageError } from '../errors.js';
import { encodeSigningKeyFile, signingKeyFromSeed } from '../federation/signing-key.js';
import { createPrivateFile } from '../ui/file-output.js';
import { renderKeygen, type KeygenResult } from '../ui/render/keygen.js';
import { addExamples, define } from './define.js';

export interface KeygenOptions {
  /** Where the key goes, as typed. */
  readonly file: string;
}

export const keygen = define<KeygenOptions>({
  configure: (command) => {
    command.argument('<file>', 'the file to make; one that exists is not overwritten');
    addExamples(command, EXAMPLES);
  },
  options: ({ args: [file = ''] }) => {
    if (file === '') throw new UsageError('the file has no name', { hint: 'mx2s keygen FILE' });
    return { file };
  },
  run: async ({ chance, out }, { file }) => {
    const version = madeUpVersion(chance.bytes(VERSION_LETTERS));
    const seed = chance.bytes(SEED_BYTES);
    const { keyId, publicKey } = signingKeyFromSeed(version, seed);
    await createPrivateFile(file, encodeSigningKeyFile(version, seed), 'the signing key');
    const result: KeygenResult = { v: 1, key_id: keyId, public_key: publicKey, file };
    await out.result(result, (palette) => renderKeygen(result, palette));
    return 0;
  },
});

/** A server never uses a version again for another key; so it is made up, as Synapse does: `a_` and four letters. */
function madeUpVersion(bytes: Uint8Array): string {
  return `a_${Array.from(bytes, (byte) => LETTERS[byte % LETTERS.length]).join('')}`;
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const VERSION_LETTERS = 4;
const SEED_BYTES = 32;
const EXAMPLES = [
  'mx2s keygen example.org.signing.key',
  'mx2s keygen example.org.signing.key && mx2s serve --signing-key example.org.signing.key',
];
