/** A received event for people, on one line: `time  sender  type  content`. */
import type { ReceivedEvent } from '../../todevice/received.js';
import { escapeText } from '../escape.js';
import type { Paint, Palette } from '../palette.js';

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
  const columns: readonly (readonly [text: string, paint: Paint])[] = [
    [timeOfDay(event.receivedTs), palette.faint],
    [event.sender ?? ABSENT, event.ownServer ? palette.good : palette.name],
    [event.type ?? ABSENT, palette.strong],
    [event.content, asIs],
  ];
  let line = '';
  let room = width;
  for (const [text, paint] of columns) {
    const gap = line === '' ? '' : GAP;
    if (room <= gap.length) break;
    const shown = cut(text, room - gap.length);
    line += gap + paint(shown);
    room -= gap.length + lengthOf(shown);
  }
  return line;
}

/** Escapes before it cuts: an escape is longer than what it stands for. A character has two code units at most. */
function cut(text: string, width: number): string {
  if (width === Infinity) return escapeText(text);
  const characters = [...escapeText(text.slice(0, 2 * width + 1))];
  return characters.length <= width ? characters.join('') : `${characters.slice(0, width - 1).join('')}…`;
}

function lengthOf(text: string): number {
  return [...text].length;
}

function timeOfDay(timestampMs: number): string {
  const time = new Date(timestampMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function asIs(text: string): string {
  return text;
}

const GAP = '  ';
const ABSENT = '-';
