/** `mx2s keygen`: makes the signing key of a server, for `serve` and for `send --as`. */
import { UsageError } from '../errors.js';
import { createSigningKeyFile, parseSigningKeyFile } from '../federation/signing-key.js';
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
    const text = createSigningKeyFile(chance);
    const [{ keyId, publicKey }] = parseSigningKeyFile(text, file);
    await createPrivateFile(file, text, 'the signing key');
    const result: KeygenResult = { v: 1, key_id: keyId, public_key: publicKey, file };
    await out.result(result, (palette) => renderKeygen(result, palette));
    return 0;
  },
});

const EXAMPLES = [
  'mx2s keygen example.org.signing.key',
  'mx2s keygen example.org.signing.key && mx2s serve --signing-key example.org.signing.key',
];
