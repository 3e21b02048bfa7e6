import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../../', import.meta.url)),
    include: ['test/interop/**/*.test.ts'],
    globalSetup: ['shared', 'nats-program', 'engine'].map((name) => `test/interop/kit/${name}.ts`),
    // The server user has one device, so the files take turns with its inbox.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
