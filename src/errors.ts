/**
 * Every error this project throws on purpose, and the closed list of their codes.
 *
 * An error says what happened (`message`: lower case, no full stop), where (fields) and what to do next
 * (`hint`). It never holds a token or a password. Anything else that reaches the top is a bug and says so.
 */

/** The values of `error.code` in JSON output; `exit-codes.ts` gives each its exit status. */
export type ErrorCode =
  | 'usage'
  | 'invalid_input'
  | 'unreadable_file'
  | 'device_locked'
  | 'shared_device'
  | 'not_logged_in'
  | 'token_refused'
  | 'refused'
  | 'hook_failed'
  | 'disk'
  | 'network'
  | 'redirect'
  | 'malformed_response'
  | 'server_error'
  | 'rate_limited'
  | 'deadline'
  | 'interrupted'
  | 'bug';

export interface ErrorDetails {
  /** What to do next: one sentence, lower case, no full stop. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The base of all errors thrown on purpose. */
export class Mx2sError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  /** True when the same command may succeed later, unchanged. */
  readonly retryable: boolean = false;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
  }
}

/** The command line is wrong: an unknown flag, a missing argument, flags that exclude each other. */
export class UsageError extends Mx2sError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('usage', message, details);
  }
}

/** A value given by the caller does not parse: an identifier, JSON, a duration, a file's content. */
export class InvalidInputError extends Mx2sError {
  /** Why, as a stable word where there is one, e.g. `E_LOCALPART_EMPTY`, `duplicate_key`. */
  readonly reason: string | undefined;
  /** Where: a JSON pointer, a line number, a flag. */
  readonly at: string | undefined;

  constructor(message: string, details: ErrorDetails & { reason?: string; at?: string } = {}) {
    super('invalid_input', message, details);
    this.reason = details.reason;
    this.at = details.at;
  }
}

/** A file named by the caller cannot be read or may not be overwritten. */
export class UnreadableFileError extends Mx2sError {
  readonly path: string;

  constructor(path: string, message: string, details: ErrorDetails = {}) {
    super('unreadable_file', message, details);
    this.path = path;
  }
}

/** Another living process reads this device. */
export class DeviceLockedError extends Mx2sError {
  readonly holderPid: number;

  constructor(holderPid: number, message: string, details: ErrorDetails = {}) {
    super('device_locked', message, details);
    this.holderPid = holderPid;
  }
}

/** The access token's device belongs to another client, whose messages reading would destroy. */
export class SharedDeviceError extends Mx2sError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('shared_device', message, details);
  }
}

/** No homeserver and token are known. */
export class NotLoggedInError extends Mx2sError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('not_logged_in', message, details);
  }
}

/** `--exec` or `--forward-to` failed for good. */
export class HookFailedError extends Mx2sError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('hook_failed', message, details);
  }
}

/** Our own files cannot be written: a full disk, a read-only directory. */
export class DiskError extends Mx2sError {
  constructor(message: string, details: ErrorDetails = {}) {
    super('disk', message, details);
  }
}

/** No answer came: DNS, connection refused, TLS, cut off, timed out. */
export class NetworkError extends Mx2sError {
  readonly method: string;
  readonly url: string;
  override readonly retryable: boolean;

  constructor(
    request: { method: string; url: string },
    message: string,
    details: ErrorDetails & { retryable?: boolean } = {},
  ) {
    super('network', message, details);
    this.method = request.method;
    this.url = request.url;
    this.retryable = details.retryable ?? true;
  }
}

/** The server sent us elsewhere and we do not follow: another origin, or a method that would change. */
export class RedirectError extends Mx2sError {
  readonly location: string;

  constructor(location: string, message: string, details: ErrorDetails = {}) {
    super('redirect', message, details);
    this.location = location;
  }
}

/** An answer came that is not what the protocol says. */
export class MalformedResponseError extends Mx2sError {
  readonly expected: string;
  readonly at: string;

  constructor(expected: string, at: string, message: string, details: ErrorDetails = {}) {
    super('malformed_response', message, details);
    this.expected = expected;
    this.at = at;
  }
}

/** What a homeserver answered in place of a success, as it said it. */
export interface MatrixErrorFacts {
  readonly status: number;
  readonly errcode: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly softLogout?: boolean | undefined;
  /** An access token was sent along. */
  readonly authenticated?: boolean | undefined;
}

/**
 * The homeserver answered with an error (Client-Server API v1.19, "Standard error response").
 *
 * The code follows from the facts: `M_UNKNOWN_TOKEN` and `M_MISSING_TOKEN` are `token_refused`, and so is a 401
 * without any errcode where a token was sent (a proxy may have said it); 5xx is
 * `server_error`, anything else is `refused`. `errcode` is kept as the server spelled it.
 */
export class MatrixError extends Mx2sError {
  readonly status: number;
  readonly errcode: string | undefined;
  readonly method: string;
  readonly url: string;
  readonly softLogout: boolean;
  readonly authenticated: boolean;
  override readonly retryable: boolean;

  constructor(facts: MatrixErrorFacts, message: string, details: ErrorDetails = {}) {
    super(matrixErrorCode(facts), message, details);
    this.status = facts.status;
    this.errcode = facts.errcode;
    this.method = facts.method;
    this.url = facts.url;
    this.softLogout = facts.softLogout ?? false;
    this.authenticated = facts.authenticated ?? false;
    this.retryable = facts.status >= 500;
  }
}

function matrixErrorCode(facts: MatrixErrorFacts): ErrorCode {
  if (facts.errcode === 'M_UNKNOWN_TOKEN' || facts.errcode === 'M_MISSING_TOKEN') return 'token_refused';
  if (facts.status === 401 && facts.errcode === undefined && facts.authenticated === true)
    return 'token_refused';
  return facts.status >= 500 ? 'server_error' : 'refused';
}

/** Rate limits asked for a longer wait than `--max-wait` allows. */
export class RateLimitedError extends Mx2sError {
  readonly retryAfterMs: number;
  readonly status: number;
  readonly errcode: string | undefined;
  override readonly retryable = true;

  constructor(
    facts: { retryAfterMs: number; status: number; errcode: string | undefined },
    message: string,
    details: ErrorDetails = {},
  ) {
    super('rate_limited', message, details);
    this.retryAfterMs = facts.retryAfterMs;
    this.status = facts.status;
    this.errcode = facts.errcode;
  }
}

/** The time given, or the input, ran out before the goal. */
export class DeadlineError extends Mx2sError {
  readonly timeoutMs: number | undefined;
  override readonly retryable = true;

  constructor(timeoutMs: number | undefined, message: string, details: ErrorDetails = {}) {
    super('deadline', message, details);
    this.timeoutMs = timeoutMs;
  }
}

/** The signals that ask a program to stop. */
export type Signal = 'SIGINT' | 'SIGTERM';

/** The user, or the system, asked us to stop. Also the `reason` of the context's abort signal. */
export class InterruptedError extends Mx2sError {
  readonly signal: Signal;

  constructor(signal: Signal) {
    super('interrupted', `interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** The reader of our standard output went away (`| head -1`): not a failure, the command ends with 0. */
export class ReaderGoneError extends Error {
  override readonly name = 'ReaderGoneError';
}
