import { describe, expect, it } from 'vitest';
import type { Result } from '../../../src/check/runner.js';
import { REQUIREMENT_IDS, requirementOf } from '../../../src/check/requirements.js';
import { PLAIN_PALETTE, type Palette } from '../../../src/ui/palette.js';
import { renderCheckResult, renderCheckTally, renderListed } from '../../../src/ui/render/check-text.js';

const RESULT: Result = {
  requirement: 'R-9',
  verdict: 'pass',
  basis: 'proposal',
  seen: 'a 200',
  elapsedMs: 1,
};
const HEAD = 'accepts messages to @:d, its own and others';
const WIDE = { palette: PLAIN_PALETTE, width: Infinity };

describe('a result', () => {
  it('is one line in columns, however long, where there is no width', () => {
    const seen = 'x '.repeat(200).trim();
    expect(renderCheckResult({ ...RESULT, seen }, WIDE)).toBe(
      `R-9   pass          must    ${HEAD}      ${seen}`,
    );
    const other = renderCheckResult({ ...RESULT, requirement: 'R-21', verdict: 'inconclusive' }, WIDE);
    expect(other).toBe('R-21  inconclusive  should  takes over an account that is @:d already        a 200');
  });

  it('of a pass is cut', () => {
    const look = { palette: PLAIN_PALETTE, width: 100 };
    const line = renderCheckResult({ ...RESULT, seen: 'word '.repeat(20) }, look);
    expect(line).toHaveLength(100);
    expect(line.endsWith('…')).toBe(true);
    expect(renderCheckResult({ ...RESULT, seen: 'word '.repeat(20) }, { ...look, width: 80 })).toMatch(
      /others$/,
    );
  });

  it.each(['fail', 'inconclusive', 'skipped'] as const)('of a %s goes on below, whole', (verdict) => {
    const seen = `${'word '.repeat(20)}${'x'.repeat(90)} end`;
    const lines = renderCheckResult(
      { ...RESULT, verdict, seen },
      { palette: PLAIN_PALETTE, width: 80 },
    ).split('\n');
    expect(lines[0]).toMatch(/others$/);
    expect(lines.slice(1).every((line) => line.startsWith('      '))).toBe(true);
    expect(
      lines
        .slice(1)
        .map((line) => line.trim())
        .join(' '),
    ).toBe(seen);
    expect(lines.filter((line) => line.length > 80)).toEqual([`      ${'x'.repeat(90)}`]);
  });

  it('has its verdict in colour, and no text of a server that could fool a terminal', () => {
    const palette: Palette = {
      ...PLAIN_PALETTE,
      good: (text) => `<good ${text.trim()}>`,
      bad: (text) => `<bad ${text.trim()}>`,
      warning: (text) => `<warning ${text.trim()}>`,
    };
    const shown = (['pass', 'fail', 'inconclusive'] as const).map((verdict) =>
      renderCheckResult({ ...RESULT, verdict, seen: '\u001b[2J\u202e' }, { palette, width: Infinity }),
    );
    expect(shown.map((line) => /<[^>]*>/.exec(line)?.[0])).toEqual([
      '<good pass>',
      '<bad fail>',
      '<warning inconclusive>',
    ]);
    for (const line of shown) expect(line).toContain('\\u001b[2J\\u202e');
  });
});

describe('a requirement of the list', () => {
  const LISTED = {
    v: 1,
    requirement: 'R-9',
    level: 'must',
    basis: 'proposal',
    title: HEAD,
    provable: 'seen',
  } as const;

  it.each([
    [[], ''],
    [['federation'], '      --federation'],
    [['other', 'federation', 'registration'], '      --other, --federation, --allow-register'],
  ] as const)('with the needs %j', (needs, end) => {
    expect(renderListed({ ...LISTED, needs }, WIDE)).toBe(`R-9   seen      must    proposal  ${HEAD}${end}`);
  });

  it.each(REQUIREMENT_IDS)('has all of its title at 80 columns, and no empty line (%#)', (requirement) => {
    const { title } = requirementOf(requirement);
    const listed = { ...LISTED, requirement, title, level: 'should' } as const;
    const look = { palette: PLAIN_PALETTE, width: 80 };
    expect(renderListed({ ...listed, needs: [] }, look).endsWith(`  ${title}`)).toBe(true);
    expect(renderListed({ ...listed, needs: ['registration'] }, look).split('\n')).toEqual([
      expect.stringMatching(/[^ …]$/),
      '      --allow-register',
    ]);
  });

  it('says why nothing can be known', () => {
    const never = { ...LISTED, provable: 'never', needs: [], why: 'because' } as const;
    expect(renderListed(never, WIDE)).toMatch(/^R-9 {3}never .* because$/);
  });
});

describe('the sum', () => {
  const NONE = { pass: 3, fail: 0, inconclusive: 0, skipped: 1, counting: 0 };

  it.each([
    [NONE, '3 pass, 0 fail, 0 inconclusive, 1 skipped; 10 requests in 1.2 s'],
    [
      { ...NONE, fail: 2 },
      '3 pass, 2 fail, 0 inconclusive, 1 skipped; none counts against the homeserver; 10 requests in 1.2 s',
    ],
    [
      { ...NONE, fail: 2, counting: 1 },
      '3 pass, 2 fail, 0 inconclusive, 1 skipped; 1 counts against the homeserver; 10 requests in 1.2 s',
    ],
    [
      { ...NONE, inconclusive: 2, counting: 2 },
      '3 pass, 0 fail, 2 inconclusive, 1 skipped; 2 count against the homeserver; 10 requests in 1.2 s',
    ],
  ])('of %j', (tally, text) => {
    expect(renderCheckTally(tally, 10, 1234)).toBe(text);
  });
});
