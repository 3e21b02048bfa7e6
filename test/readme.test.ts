import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT_ROWS } from '../src/exit-codes.js';
import { parseConsoleBlocks } from './kit/transcript-format.js';
import { runTranscript } from './kit/transcript.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

describe('the README', () => {
  it('begins with the two commands', () => {
    const commands = readme.split('\n').filter((line) => line.startsWith('    '));
    expect(commands[0]).toMatch(/^ {4}npm ci && npm run demo\b/);
    expect(commands[1]).toMatch(/^ {4}npm ci && npm test\b/);
  });

  it('shows what the program really prints', { timeout: 120_000 }, async () => {
    await runTranscript('README.md', parseConsoleBlocks(readme));
  });

  it('has the one table of exit statuses', () => {
    for (const { codes, meaning } of EXIT_ROWS) {
      expect(readme).toContain(`\n| ${codes.join(', ')} | ${meaning} |\n`);
    }
  });

  it('links to nothing that is not there', () => {
    for (const [, target = ''] of readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)) {
      expect(() => readFileSync(new URL(`../${target}`, import.meta.url)), target).not.toThrow();
    }
  });
});
