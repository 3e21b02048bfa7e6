/** The event log: one entry for each message to this server, and one for each answer of it. */
import type { Via } from '../subsystems/handler.js';
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

/** The entry as one line of JSON: `{v,direction,sender,to,device,type,via,outcome,content?}`. */
export function encodeLogEntry({ content, ...entry }: LogEntry): JsonText {
  const facts = JSON.stringify({ v: 1, ...entry });
  return (content === undefined ? facts : `${facts.slice(0, -1)},"content":${content}}`) as JsonText;
}
