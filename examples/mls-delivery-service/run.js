// Node 20 runs no TypeScript: vite, which the tests need anyway, does it.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./story.ts', import.meta.url)));
const { epochs, secrets } = await module.tellStory((line) => process.stdout.write(`${line}\n`));
const agree = epochs[0] === epochs[1] && secrets[0] === secrets[1];
process.exitCode = agree ? 0 : 1;
