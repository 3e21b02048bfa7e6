import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runTranscript } from '../kit/transcript.js';
import { parseScript } from '../kit/transcript-format.js';

const folder = new URL('./', import.meta.url);
const scripts = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('the transcripts', () => {
  it('are there', () => {
    expect(scripts).not.toEqual([]);
  });

  it.each(scripts)('%s', { timeout: 120_000 }, async (name) => {
    await runTranscript(name, parseScript(readFileSync(new URL(name, folder), 'utf8')));
  });
});
