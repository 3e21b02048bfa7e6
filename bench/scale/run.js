import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';

// not by `runnerImport`, which ends before what is measured imports what it imports late
const vite = await createServer({
  configFile: false,
  appType: 'custom',
  logLevel: 'error',
  optimizeDeps: { noDiscovery: true },
  server: { middlewareMode: true, hmr: false, ws: false, watch: null },
});
try {
  const { scale } = await vite.ssrLoadModule(fileURLToPath(new URL('./scale.ts', import.meta.url)));
  await scale();
} finally {
  await vite.close();
}
