/** What became of the events that were not printed: sentences for the end of a run. */
import type { Tally } from '../../listen/listener.js';
import type { SelectionRules } from '../../listen/selection.js';

/**
 * A notice for each kind of event that was passed over; none where there were none.
 * @param areGone they were acknowledged, and not only looked at
 */
export function tallyNotices(
  { unselected, hookFailures, malformed }: Omit<Tally, 'printed'>,
  { anySender, from }: Pick<SelectionRules, 'anySender' | 'from'>,
  areGone: boolean,
): string[] {
  const notices: string[] = [];
  if (unselected > 0) {
    const gone = areGone ? ', and gone: --peek looks without taking' : '';
    const hint = anySender || from.length > 0 ? '' : '; --any-sender takes events from users, too';
    notices.push(`${amount(unselected, 'event')} not selected by the filters${gone}${hint}`);
  }
  if (hookFailures > 0) notices.push(`${amount(hookFailures, 'event')} passed over: their hook failed`);
  if (malformed > 0) notices.push(`${amount(malformed, 'item')} passed over: no events at all`);
  return notices;
}

function amount(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
