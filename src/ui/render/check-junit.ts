/**
 * `mx2s check` as JUnit XML, in the form that build servers read. What does not count against the server is no failure
 * there: what was inconclusive, and a `fail` that does not count, is skipped with a message that says so.
 */
import { countsAgainst } from '../../check/report.js';
import { requirementOf } from '../../check/requirements.js';
import type { Result } from '../../check/runner.js';
import { escapeText } from '../escape.js';

export interface JunitSuite {
  readonly results: readonly Result[];
  /** The URL of the homeserver. */
  readonly homeserver: string;
  readonly isStrict: boolean;
  /** When it began, in milliseconds since the Unix epoch. */
  readonly startedTs: number;
}

/** The whole document, last line end included. */
export function renderJunit({ results, homeserver, isStrict, startedTs }: JunitSuite): string {
  const cases = results.map((result) => renderCase(result, isStrict));
  const count = (element: string): number => cases.filter((each) => each.includes(`<${element} `)).length;
  const totalMs = results.reduce((sum, { elapsedMs }) => sum + elapsedMs, 0);
  const counts = attributes({
    name: `MSC4246 at ${homeserver}`,
    tests: String(cases.length),
    failures: String(count('failure')),
    errors: '0',
    skipped: String(count('skipped')),
    time: seconds(totalMs),
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${counts}>`,
    `  <testsuite${counts}${attributes({ timestamp: new Date(startedTs).toISOString().slice(0, 19) })}>`,
    ...cases,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

function renderCase(result: Result, isStrict: boolean): string {
  const { requirement, verdict, basis, seen, elapsedMs } = result;
  const { level, title } = requirementOf(requirement);
  const head = attributes({
    classname: `MSC4246.${level}`,
    name: `${requirement} ${title}`,
    time: seconds(elapsedMs),
  });
  const inside =
    verdict === 'pass' ? `<system-out>${escapeXml(seen)}</system-out>` : notPassed(result, isStrict);
  const facts = { verdict, basis };
  const properties = Object.entries(facts).map(
    ([name, value]) => `        <property${attributes({ name, value })}/>`,
  );
  return [
    `    <testcase${head}>`,
    '      <properties>',
    ...properties,
    '      </properties>',
    `      ${inside}`,
    '    </testcase>',
  ].join('\n');
}

function notPassed(result: Result, isStrict: boolean): string {
  const { verdict, basis, seen } = result;
  if (countsAgainst(result, isStrict)) return `<failure${attributes({ message: seen, type: verdict })}/>`;
  const message = {
    pass: seen,
    fail: `fail, which does not count against the server (${basis}): ${seen}`,
    inconclusive: `inconclusive: ${seen}`,
    skipped: seen,
  }[verdict];
  return `<skipped${attributes({ message })}/>`;
}

function attributes(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(value)}"`)
    .join('');
}

/** What XML cannot hold, control characters above all, is escaped as everywhere (XML 1.0, section 2.2). */
function escapeXml(text: string): string {
  const holdable = escapeText(text).replace(
    /[\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16)}`,
  );
  return holdable.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function seconds(durationMs: number): string {
  return (durationMs / 1000).toFixed(3);
}
