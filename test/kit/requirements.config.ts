import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import everyTest from '../../vitest.config.js';
import { RequirementReporter } from './requirement-reporter.js';

export default mergeConfig(
  everyTest,
  defineConfig({
    test: {
      root: fileURLToPath(new URL('../../', import.meta.url)),
      // holds the page to the tests: it would fail whenever there is something to write
      exclude: ['test/requirements.test.ts'],
      reporters: ['default', new RequirementReporter()],
    },
  }),
);
