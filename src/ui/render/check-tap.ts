/**
 * `mx2s check` as TAP version 14. What does not count against the server does not fail a harness: what was inconclusive
 * is skipped, and a `fail` that does not count is a TODO, which may be `not ok`.
 */
import { countsAgainst } from '../../check/report.js';
import { requirementOf } from '../../check/requirements.js';
import type { Result } from '../../check/runner.js';
import { escapeText } from '../escape.js';

/** The lines before the first result, line ends included. */
export function renderTapHead(count: number): string {
  return `TAP version 14\n1..${count}\n`;
}

/** One result, the `number`th from 1, with a YAML block of its facts; line ends included. */
export function renderTapResult(result: Result, number: number, isStrict: boolean): string {
  const { requirement, verdict, basis, seen } = result;
  const { level, title } = requirementOf(requirement);
  const counts = countsAgainst(result, isStrict);
  const isOk = verdict !== 'fail' && !counts;
  const directive = counts ? '' : directiveOf(result);
  return [
    `${isOk ? 'ok' : 'not ok'} ${number} - ${escapeTap(`${requirement} ${title}`)}${directive}`,
    '  ---',
    `  verdict: ${verdict}`,
    `  level: ${level}`,
    `  basis: ${basis}`,
    `  seen: ${escapeText(JSON.stringify(seen))}`,
    '  ...',
    '',
  ].join('\n');
}

function directiveOf({ verdict, seen }: Result): string {
  switch (verdict) {
    case 'pass':
      return '';
    case 'fail':
      return ' # TODO does not count against the server';
    case 'inconclusive':
      return ` # SKIP inconclusive: ${escapeTap(seen)}`;
    case 'skipped':
      return ` # SKIP ${escapeTap(seen)}`;
  }
}

function escapeTap(text: string): string {
  return escapeText(text).replace(/[\\#]/g, '\\$&');
}
