import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { MX2S_TESTED_PROGRAM = `${root}dist/mx2s-linux-${process.arch}` } = process.env;

/** The standalone executable: what is its own, and what the tests of the program say of any build. */
export default defineConfig({
  test: {
    root,
    include: [
      'test/executable/**/*.test.ts',
      'test/commands/listen-process.test.ts',
      'test/commands/serve-disk.test.ts',
      'test/commands/serve-outbox.test.ts',
      'test/demo/tour.test.ts',
      'test/readme.test.ts',
      'test/scripts/scripts.test.ts',
    ],
    env: { MX2S_TESTED_PROGRAM },
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
