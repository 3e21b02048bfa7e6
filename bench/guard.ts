/** Has something become slower? Pure. */
import { isMeasured, type Machine, type MeasuredRow, type Report } from './report.js';
import { renderFigure } from './render-table.js';
import { margin } from './statistics.js';

/**
 * Says of a row that its ratio is worse by a third than it was; undefined when it is not, or when one of both was not
 * measured.
 */
export function setback(now: MeasuredRow, before: Report): string | undefined {
  const then = before.rows.find(({ id }) => id === now.id);
  if (then === undefined || !isMeasured(then) || !isMeasured(now)) return undefined;
  const share = margin(now.ratio.of_medians, now.reach) / margin(then.ratio.of_medians, now.reach);
  if (share >= 1 / WORSE_BY) return undefined;
  const [ratio, was] = [now, then].map((row) => renderFigure(row.ratio.of_medians));
  return `${now.id}: the ratio is ${String(ratio)}, and was ${String(was)}`;
}

/**
 * Why figures of this machine cannot be held against those; undefined when they can. Several programs use a second processor
 * if there is one, so that ratios depend on it.
 */
export function whyNotComparable(machine: Machine, before: Report): string | undefined {
  const { processors } = before.machine;
  if (machine.processors === processors) return undefined;
  return `what is committed is of a machine with ${String(processors)} processors, and this one has ${String(machine.processors)}`;
}

/** A third. */
const WORSE_BY = 4 / 3;
