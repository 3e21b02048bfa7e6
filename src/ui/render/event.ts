/** A received event for people, on one line: `time  sender  type  content`. */
import type { ReceivedEvent } from '../../todevice/received.js';
import type { Palette } from '../palette.js';
import { asIs, renderColumns, timeOfDay } from './columns.js';

export interface EventLook {
  readonly palette: Palette;
  /** Characters to cut to; infinite for no cutting. */
  readonly width: number;
}

/**
 * Renders one event. The time is the local time of day; a sender or type that is not there is `-`. Whatever the
 * server sent is escaped. What comes from our own homeserver's user ID has a colour of its own.
 */
export function renderEvent(event: ReceivedEvent, { palette, width }: EventLook): string {
  return renderColumns(
    [
      [timeOfDay(event.receivedTs), palette.faint],
      [event.sender ?? ABSENT, event.ownServer ? palette.good : palette.name],
      [event.type ?? ABSENT, palette.strong],
      [event.content, asIs],
    ],
    width,
  );
}

const ABSENT = '-';
