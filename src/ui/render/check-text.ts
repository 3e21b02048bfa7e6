/** `mx2s check` for people: a line for each requirement. */
import { requirementOf } from '../../check/requirements.js';
import type { Need, Verdict } from '../../check/probe.js';
import type { Result } from '../../check/runner.js';
import type { ListedRequirement } from './check-json.js';
import type { Paint, Palette } from '../palette.js';
import { asIs, renderColumns } from './columns.js';

export interface CheckLook {
  readonly palette: Palette;
  /** Characters to cut to; infinite for no cutting. */
  readonly width: number;
}

/** One result, on one line. */
export function renderCheckResult(
  { requirement, verdict, seen }: Result,
  { palette, width }: CheckLook,
): string {
  const { level, title } = requirementOf(requirement);
  return renderColumns(
    [
      [requirement.padEnd(4), palette.strong],
      [verdict.padEnd(12), verdictPaint(verdict, palette)],
      [level.padEnd(6), palette.faint],
      [title, asIs],
      [seen, palette.faint],
    ],
    width,
  );
}

/** One requirement with `--list`, on one line. */
export function renderListed(listed: ListedRequirement, { palette, width }: CheckLook): string {
  const { requirement, level, basis, title, provable, needs, why } = listed;
  return renderColumns(
    [
      [requirement.padEnd(4), palette.strong],
      [provable.padEnd(8), provable === 'never' ? palette.faint : palette.name],
      [level.padEnd(6), palette.faint],
      [basis.padEnd(8), palette.faint],
      [title, asIs],
      [why ?? needs.map((need) => NEED_FLAGS[need]).join(', '), palette.faint],
    ],
    width,
  );
}

const NEED_FLAGS = {
  other: '--other',
  federation: '--federation',
  registration: '--allow-register',
} as const satisfies Record<Need, string>;

function verdictPaint(verdict: Verdict, palette: Palette): Paint {
  switch (verdict) {
    case 'pass':
      return palette.good;
    case 'fail':
      return palette.bad;
    case 'inconclusive':
      return palette.warning;
    case 'skipped':
      return palette.faint;
  }
}
