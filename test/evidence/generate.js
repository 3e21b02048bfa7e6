import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./generate.ts', import.meta.url)));
process.exitCode = await module.generate(process.argv.slice(2));
