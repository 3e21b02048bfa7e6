/** One line of columns, cut to the width of a terminal, whatever strangers put into it. */
import { escapeText } from '../escape.js';
import type { Paint } from '../palette.js';

/** A text, which is escaped here, and how it is painted. */
export type Column = readonly [text: string, paint: Paint];

/**
 * Puts columns on one line, two spaces between them.
 * @param width characters to cut to; infinite for no cutting
 */
export function renderColumns(columns: readonly Column[], width: number): string {
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

/** The local time of day, `12:34:56`. */
export function timeOfDay(timestampMs: number): string {
  const time = new Date(timestampMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

/** Leaves a column as it is. */
export function asIs(text: string): string {
  return text;
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

const GAP = '  ';
