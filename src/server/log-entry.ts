/** The event log: one entry for each message to this server, and one for each answer of it. */
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import { serverNameOf, type UserId } from '../ids/user-id.js';
import type { AnswerBatch, ServerMessage, Via } from '../subsystems/handler.js';
import type { JsonText } from '../wire/json.js';

/** What became of a message. `spoofed` is for federation. */
export type LogOutcome = 'handled' | 'failed' | 'dropped' | 'overflow' | 'duplicate' | 'spoofed' | 'limited';

export interface LogEntry {
  /** `in` is addressed to this server, `out` is its answer. */
  readonly direction: 'in' | 'out';
  readonly sender: string;
  readonly to: string;
  readonly device: string;
  readonly type: string;
  readonly via: Via;
  readonly outcome: LogOutcome;
  /** Only where the outcome is `handled`: of what nobody handles no trace is kept. */
  readonly content?: JsonText | undefined;
}

/** The entry for a message to `to`, the server. */
export function messageEntry(to: UserId, message: ServerMessage, outcome: LogOutcome): LogEntry {
  const { sender, type, via, content } = message;
  const isHandled = outcome === 'handled';
  return {
    direction: 'in',
    sender,
    to,
    device: SERVER_DEVICE_ID,
    type,
    via,
    outcome,
    content: isHandled ? content : undefined,
  };
}

/** An entry for each answer of `sender`, the server. */
export function answerEntries(sender: UserId, { type, messages }: AnswerBatch): LogEntry[] {
  return [...messages].flatMap(([to, contents]) => {
    const via = serverNameOf(to) === serverNameOf(sender) ? 'client' : 'federation';
    return [...contents].map(([device, content]): LogEntry => ({
      direction: 'out',
      sender,
      to,
      device,
      type,
      via,
      outcome: 'handled',
      content,
    }));
  });
}

/** The entry as one line of JSON: `{v,direction,sender,to,device,type,via,outcome,content?}`. */
export function encodeLogEntry({ content, ...entry }: LogEntry): JsonText {
  const facts = JSON.stringify({ v: 1, ...entry });
  return (content === undefined ? facts : `${facts.slice(0, -1)},"content":${content}}`) as JsonText;
}
