/** The conformance that is committed as evidence: it says what it is said to say, and people are shown all of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { AMBIGUITIES } from './ambiguities.js';
import {
  conformanceFaults,
  transcriptFaults,
  transcriptFile,
  type CheckResult,
  type ConformanceEvidence,
} from './conformance-evidence.js';
import { renderAmbiguities, renderConformance } from './render-conformance.js';

const evidence = JSON.parse(read('conformance.json')) as ConformanceEvidence;
const transcripts = Object.fromEntries(
  evidence.servers.map((server) => [server.name, read(transcriptFile(server))]),
);

describe('docs/evidence/conformance', () => {
  it('has every requirement of every server, and none that mx2s serve does not hold', () => {
    expect(conformanceFaults(evidence)).toEqual([]);
  });

  it('has transcripts that say the same', () => {
    expect(transcriptFaults(evidence, transcripts)).toEqual([]);
  });

  it('shows people all that was recorded', () => {
    expect(read('conformance.md')).toBe(renderConformance(evidence));
    expect(read('ambiguities.md')).toBe(renderAmbiguities(evidence));
  });

  it('numbers what is open without a gap, as code cites it', () => {
    expect(AMBIGUITIES.map(({ id }) => id)).toEqual(
      AMBIGUITIES.map((_each, index) => `A${String(index + 1)}`),
    );
  });
});

describe('conformance', () => {
  const forgeries: [what: string, forged: ConformanceEvidence, fault: RegExp][] = [
    ['of nobody', { ...evidence, servers: [] }, /^Synapse was not looked at/m],
    ['without a requirement', withResults((results) => results.slice(1)), /the results are for R-10 /],
    [
      'in which mx2s serve fails',
      withResults((results) => results.map((each) => ({ ...each, verdict: 'fail' }))),
      /^mx2s serve: R-9 is fail/m,
    ],
    [
      'without what was seen',
      withResults((results) => results.map((each) => ({ ...each, seen: '' }))),
      /R-9 does not say why/,
    ],
    [
      'with another exit status',
      { ...evidence, servers: evidence.servers.map((server) => ({ ...server, exit_code: 2 })) },
      /ended with 2/,
    ],
    [
      'with a token',
      { ...evidence, servers: evidence.servers.map((server) => ({ ...server, command: 'syt_x' })) },
      /there is a token/,
    ],
  ];
  it.each(forgeries)('%s is none', (_what, forged, fault) => {
    expect(conformanceFaults(forged).join('\n')).toMatch(fault);
  });

  it('is none where a transcript says otherwise, or has a token', () => {
    const forged = { ...transcripts, Synapse: 'R-9  fail\n< {"access_token":"syt_x"}' };
    expect(transcriptFaults(evidence, forged)).toContain('Synapse: R-9 pass is not in the transcript');
    expect(transcriptFaults(evidence, forged)).toContain('Synapse: there is a token in the transcript');
  });
});

function withResults(
  change: (results: readonly CheckResult[]) => readonly CheckResult[],
): ConformanceEvidence {
  return {
    ...evidence,
    servers: evidence.servers.map((server) => ({ ...server, results: change(server.results) })),
  };
}

function read(name: string): string {
  return readFileSync(new URL(`../../docs/evidence/${name}`, import.meta.url), 'utf8');
}
