import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./gateway.ts', import.meta.url)));
process.exitCode = await module.bench(process.argv.slice(2));
