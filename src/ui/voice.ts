/**
 * The voice of the program: every rule about what it says, and where.
 *
 * - stdout is data, stderr is talk. A result goes to stdout; notices, warnings, prompts, progress and errors
 *   go to stderr.
 * - An error is the last line on stderr: `mx2s: message`. What to do next stands before it: `hint: …`. A
 *   warning is `warning: …`. With JSON the error, and only the error, is one JSON line.
 * - No capital at the start, no full stop at the end, no exclamation. Flags and commands in the form the user
 *   types them.
 * - A message says what happened and where; a hint says what to do. Neither ever holds a secret.
 * - We say *accepted*, never *delivered*: a 200 from a homeserver proves no more.
 * - We say that an event comes from a server user ID, never that it comes from the server (MSC4246,
 *   "Unstable prefix": it may be an actual account).
 */
import { MatrixError, Mx2sError, RateLimitedError } from '../errors.js';
import { escapeText } from './escape.js';
import type { Palette } from './palette.js';

/** The lines that tell of an error, without line ends; the last is the error itself. */
export function renderError(error: unknown, palette: Palette, showStack: boolean): string[] {
  const { message, hint } = describe(error);
  const lines = showStack ? stackLines(error) : [];
  if (hint !== undefined) lines.push(`${palette.strong('hint:')} ${escapeText(hint)}`);
  lines.push(`${palette.bad('mx2s:')} ${escapeText(message)}`);
  return lines;
}

/** The same as one JSON line: `{"v":1,"error":{code,message,hint?,errcode?,http_status?,retryable}}`. */
export function encodeError(error: unknown): string {
  return escapeText(JSON.stringify({ v: 1, error: errorBody(error) }));
}

/** The object that stands under `error` in JSON output. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly errcode?: string;
  readonly http_status?: number;
  readonly retryable: boolean;
}

/** An error as the JSON object that is promised to scripts. */
export function errorBody(error: unknown): ErrorBody {
  const { message, hint } = describe(error);
  const answered = error instanceof MatrixError || error instanceof RateLimitedError ? error : undefined;
  return {
    code: error instanceof Mx2sError ? error.code : 'bug',
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(answered?.errcode === undefined ? {} : { errcode: answered.errcode }),
    ...(answered === undefined ? {} : { http_status: answered.status }),
    retryable: error instanceof Mx2sError && error.retryable,
  };
}

function describe(error: unknown): { message: string; hint: string | undefined } {
  if (error instanceof Mx2sError) return { message: error.message, hint: error.hint };
  const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { message: `a bug in mx2s: ${what}`, hint: 'run it again with --verbose and report the stack' };
}

function stackLines(error: unknown): string[] {
  const lines: string[] = [];
  for (
    let each: unknown = error, depth = 0;
    each instanceof Error && depth < 5;
    each = each.cause, depth += 1
  ) {
    lines.push(...(each.stack ?? String(each)).split('\n').map((line) => escapeText(line)));
  }
  return lines;
}
