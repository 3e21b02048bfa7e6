/**
 * The one table of exit statuses, and the one function from an error to a status.
 * The README and `mx2s help exit-codes` print the same rows.
 */
import { InterruptedError, Mx2sError, ReaderGoneError, type ErrorCode } from './errors.js';

declare const passedOn: unique symbol;
/** The status of a command that ran beside `serve`, passed on as it is. */
export type PassedOnExitCode = number & { readonly [passedOn]: true };

/** Every exit status that the program can have. */
export type ExitCode = 0 | 1 | 2 | 4 | 5 | 6 | 70 | 124 | 130 | 143 | PassedOnExitCode;

export interface ExitRow {
  readonly codes: readonly ExitCode[];
  readonly meaning: string;
}

/** Each exit status in words, in the order in which they are shown. */
export const EXIT_ROWS: readonly ExitRow[] = [
  {
    codes: [0],
    meaning:
      'done, to the end (also: the reader of stdout went away; an interrupted `listen` that had no goal; `serve` and `gateway` stopped by a signal)',
  },
  {
    codes: [1],
    meaning:
      'a negative answer: an identifier is not valid, a check failed, the homeserver refused the request (wrong password too), `--exec` or `--forward-to` failed for good',
  },
  {
    codes: [2],
    meaning:
      'wrong usage or unusable input: flags, JSON, identifier given to `send`, unreadable file, unknown profile; bare `mx2s` (help on stderr)',
  },
  { codes: [4], meaning: 'log in first, or the access token is refused' },
  {
    codes: [5],
    meaning: 'no usable answer: DNS, refused, TLS, cut off, 5xx after retries, an answer that is not Matrix',
  },
  { codes: [6], meaning: 'rate limited for longer than `--max-wait`' },
  { codes: [70], meaning: 'a bug of ours (stack with `--verbose`)' },
  {
    codes: [124],
    meaning:
      'the time given ran out, or the input did (`--idle`, `--drain`), before the goal (`--count`, a reply)',
  },
  { codes: [130, 143], meaning: 'SIGINT, SIGTERM before the goal' },
];

export interface ErrorRow {
  readonly exit: ExitCode;
  readonly meaning: string;
}

/** Each error code with its exit status and its meaning. */
export const ERROR_ROWS = {
  usage: { exit: 2, meaning: 'the command line is wrong' },
  invalid_input: { exit: 2, meaning: 'a value given does not parse' },
  unreadable_file: { exit: 2, meaning: 'a file named cannot be read, or exists and is not overwritten' },
  device_locked: { exit: 2, meaning: 'another mx2s process reads this device' },
  shared_device: { exit: 2, meaning: 'the device belongs to another client' },
  not_logged_in: { exit: 4, meaning: 'no homeserver and access token are known' },
  token_refused: { exit: 4, meaning: 'the homeserver refused the access token' },
  refused: { exit: 1, meaning: 'the homeserver refused the request' },
  hook_failed: { exit: 1, meaning: '--exec or --forward-to failed for good' },
  disk: { exit: 1, meaning: 'a file of ours cannot be written' },
  network: { exit: 5, meaning: 'no answer: DNS, connection, TLS, timeout' },
  redirect: { exit: 5, meaning: 'the server redirects to where requests are not followed' },
  malformed_response: { exit: 5, meaning: 'an answer that is not Matrix' },
  server_error: { exit: 5, meaning: 'the homeserver failed (5xx), also after retries' },
  rate_limited: { exit: 6, meaning: 'rate limited for longer than --max-wait' },
  deadline: { exit: 124, meaning: 'the time or the input ran out before the goal' },
  interrupted: { exit: 130, meaning: 'stopped by SIGINT (130) or SIGTERM (143) before the goal' },
  bug: { exit: 70, meaning: 'a bug in mx2s' },
} as const satisfies Record<ErrorCode, ErrorRow>;

/** The exit status for whatever a command threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ReaderGoneError) return 0;
  if (error instanceof InterruptedError) return error.signal === 'SIGINT' ? 130 : 143;
  if (error instanceof Mx2sError) return ERROR_ROWS[error.code].exit;
  return ERROR_ROWS.bug.exit;
}
