/** Events on stdout. */
import { encodeReceivedEvent, type ReceivedEvent } from '../todevice/received.js';
import { escapeText } from '../ui/escape.js';
import { renderEvent } from '../ui/render/event.js';
import type { Output } from '../ui/streams.js';

/** Writes events, one a line, and resolves when the kernel has taken them. */
export type EventWriter = (events: readonly ReceivedEvent[]) => Promise<void>;

/** @param raw the content only, as JSON, also on a terminal */
export function eventWriter(out: Output, raw: boolean): EventWriter {
  const lineOf = lineMaker(out, raw);
  let isFirst = true;
  return async (events) => {
    if (isFirst) await out.startLine();
    isFirst = false;
    await out.write(events.map((event) => `${lineOf(event)}\n`).join(''));
  };
}

function lineMaker(out: Output, raw: boolean): (event: ReceivedEvent) => string {
  if (!raw && out.format === 'text') return (event) => renderEvent(event, out);
  const encode = raw ? ({ content }: ReceivedEvent): string => content : encodeReceivedEvent;
  return out.isTerminal ? (event) => escapeText(encode(event)) : encode;
}
