/** Runs a measurement beside this file by its name: `node test/interop/measure/run.js dendrite-restart`. */
import { runnerImport } from 'vite';

const [name = '', ...args] = process.argv.slice(2);
const { module } = await runnerImport(new URL(`./${name}.ts`, import.meta.url).pathname);
await module.measure(args);
