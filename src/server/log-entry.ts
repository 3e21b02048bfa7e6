/** The event log: one entry for each message to this server, and one for each answer of it. */
import { serverNameOf, type UserId } from '../ids/user-id.js';
import type { AnswerBatch, Via } from '../subsystems/handler.js';
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
