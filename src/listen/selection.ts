/** Which of the events that come are wanted. */
import { compileGlob } from '../todevice/glob.js';
import type { ReceivedEvent } from '../todevice/received.js';

/** Within each list one is enough; all lists that are not empty count. */
export interface SelectionRules {
  /** Globs; an event without a type has the type `""`. */
  readonly types: readonly string[];
  /** Globs; an event of such a type is never wanted. */
  readonly notTypes: readonly string[];
  /** User IDs, compared as they are. */
  readonly from: readonly string[];
  /** Without it, and without `from`, only events whose sender is a server user are wanted. */
  readonly anySender: boolean;
}

/** Is the event wanted? */
export type Selection = (event: ReceivedEvent) => boolean;

/** Makes rules ready to be asked about many events. */
export function compileSelection({ types, notTypes, from, anySender }: SelectionRules): Selection {
  const wanted = types.map(compileGlob);
  const unwanted = notTypes.map(compileGlob);
  const senders = new Set(from);
  const isWantedSender: Selection =
    senders.size > 0
      ? ({ sender }) => sender !== undefined && senders.has(sender)
      : ({ serverUser }) => anySender || serverUser;
  return (event) => {
    const type = event.type ?? '';
    return (
      isWantedSender(event) &&
      (wanted.length === 0 || wanted.some((matches) => matches(type))) &&
      !unwanted.some((matches) => matches(type))
    );
  };
}
