import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/check/probe.js';
import type { Basis } from '../../../src/check/requirements.js';
import type { Result } from '../../../src/check/runner.js';
import { renderJunit } from '../../../src/ui/render/check-junit.js';

function result(verdict: Verdict, basis: Basis = 'proposal', seen = 'x'): Result {
  return { requirement: 'R-9', verdict, basis, seen, elapsedMs: 1500 };
}

function render(results: readonly Result[], isStrict = false): string {
  return renderJunit({
    results,
    homeserver: 'https://hs.test',
    isStrict,
    startedTs: Date.UTC(2026, 10, 25, 12),
  });
}

describe('JUnit', () => {
  it('is a suite of test cases, with their sums', () => {
    expect(render([result('pass'), result('fail'), result('skipped')]))
      .toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="MSC4246 at https://hs.test" tests="3" failures="1" errors="0" skipped="1" time="4.500">
  <testsuite name="MSC4246 at https://hs.test" tests="3" failures="1" errors="0" skipped="1" time="4.500" timestamp="2026-11-25T12:00:00">
    <testcase classname="MSC4246.must" name="R-9 accepts messages to @:d, its own and others" time="1.500">
      <properties>
        <property name="verdict" value="pass"/>
        <property name="basis" value="proposal"/>
      </properties>
      <system-out>x</system-out>
    </testcase>
    <testcase classname="MSC4246.must" name="R-9 accepts messages to @:d, its own and others" time="1.500">
      <properties>
        <property name="verdict" value="fail"/>
        <property name="basis" value="proposal"/>
      </properties>
      <failure message="x" type="fail"/>
    </testcase>
    <testcase classname="MSC4246.must" name="R-9 accepts messages to @:d, its own and others" time="1.500">
      <properties>
        <property name="verdict" value="skipped"/>
        <property name="basis" value="proposal"/>
      </properties>
      <skipped message="x"/>
    </testcase>
  </testsuite>
</testsuites>
`);
  });

  it.each<[string, Result, boolean, string]>([
    [
      'a fail of our reading',
      result('fail', 'reading'),
      false,
      '<skipped message="fail, which does not count against the server (reading): x"/>',
    ],
    ['the same when strict', result('fail', 'reading'), true, '<failure message="x" type="fail"/>'],
    ['what was inconclusive', result('inconclusive'), false, '<skipped message="inconclusive: x"/>'],
    ['the same when strict', result('inconclusive'), true, '<failure message="x" type="inconclusive"/>'],
  ])('agrees with the exit status about %s', (_name, each, isStrict, element) => {
    const document = render([each], isStrict);
    expect(document).toContain(element);
    expect(document).toContain(element.startsWith('<failure') ? ' failures="1" ' : ' failures="0" ');
  });

  it('lets no text of a server become XML', () => {
    const seen = '"]]><failure message=""/>&\u0000\ufffe\ud800';
    for (const document of [
      render([result('pass', 'proposal', seen)]),
      render([result('skipped', 'proposal', seen)]),
    ]) {
      expect(document).not.toContain('<failure ');
      expect(document).toContain(' failures="0" ');
      expect(document).toContain(
        '&#34;]]&#62;&#60;failure message=&#34;&#34;/&#62;&#38;\\u0000\\ufffe\\ud800',
      );
    }
  });
});
