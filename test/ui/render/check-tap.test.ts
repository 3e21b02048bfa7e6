import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/check/probe.js';
import type { Result } from '../../../src/check/runner.js';
import { renderTapHead, renderTapResult } from '../../../src/ui/render/check-tap.js';

function result(verdict: Verdict, seen = 'x'): Result {
  return { requirement: 'R-9', verdict, basis: 'proposal', seen, elapsedMs: 1 };
}

const TITLE = 'R-9 accepts messages to @:d, its own and others';

describe('TAP', () => {
  it('begins with its version and its plan', () => {
    expect(renderTapHead(3)).toBe('TAP version 14\n1..3\n');
  });

  it('has a test point with a YAML block for each result', () => {
    expect(renderTapResult(result('pass'), 2, false)).toBe(
      `ok 2 - ${TITLE}\n  ---\n  verdict: pass\n  level: must\n  basis: proposal\n  seen: "x"\n  ...\n`,
    );
  });

  it.each<[string, Result, boolean, string]>([
    ['a fail that counts', result('fail'), false, `not ok 1 - ${TITLE}`],
    [
      'a fail that does not',
      { ...result('fail'), basis: 'reading' },
      false,
      `not ok 1 - ${TITLE} # TODO does not count against the server`,
    ],
    ['a fail that counts when strict', { ...result('fail'), basis: 'reading' }, true, `not ok 1 - ${TITLE}`],
    ['what was inconclusive', result('inconclusive'), false, `ok 1 - ${TITLE} # SKIP inconclusive: x`],
    ['what was inconclusive, when strict', result('inconclusive'), true, `not ok 1 - ${TITLE}`],
    ['what was skipped', result('skipped'), true, `ok 1 - ${TITLE} # SKIP x`],
  ])('says of %s what a harness has to know', (_name, each, isStrict, line) => {
    expect(renderTapResult(each, 1, isStrict).split('\n')[0]).toBe(line);
  });

  it('lets no text of a server become TAP', () => {
    const text = renderTapResult(result('skipped', 'a # TODO \\ b\nnot ok 2\u001b[2J"'), 1, false);
    expect(text.split('\n')[0]).toBe(
      `ok 1 - ${TITLE} # SKIP a \\# TODO \\\\ b\\\\u000anot ok 2\\\\u001b[2J"`,
    );
    expect(text).toContain('  seen: "a # TODO \\\\ b\\nnot ok 2\\u001b[2J\\""\n');
    expect(text.split('\n')).toHaveLength(8);
  });
});
