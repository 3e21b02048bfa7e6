import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const { module } = await runnerImport(fileURLToPath(new URL('./endurance.ts', import.meta.url)));
process.exitCode = await module.endurance(process.argv.slice(2));
