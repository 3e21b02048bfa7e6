/** `mx2s send`: what was accepted, what was not, and what would be sent. */
import { isServerDevice, WILDCARD_DEVICE } from '../../ids/device-id.js';
import type { LineTally } from '../../todevice/message-lines.js';
import type { JsonText } from '../../wire/json.js';
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';
import type { ErrorBody } from '../voice.js';
import { quoteForShell } from './shell.js';

/**
 * A message that the homeserver, or with `--as` the other server, accepted: the JSON object of `send`. It does not say
 * that anyone got it.
 */
export interface AcceptedResult {
  readonly v: 1;
  readonly status: 'accepted';
  /** With `--ndjson`: the line that it stood on, from 1. */
  readonly line?: number | undefined;
  /** With `--as`: the server user it was sent as. */
  readonly as?: string;
  readonly to: string;
  readonly device: string;
  readonly type: string;
  readonly txn_id: string;
  readonly attempts: number;
  readonly elapsed_ms: number;
}

/** A line of `--ndjson` that was not accepted. */
export interface UnsentResult {
  readonly v: 1;
  /** `rejected`: it cannot be sent, or was refused; `failed`: it may do better another time. */
  readonly status: 'rejected' | 'failed';
  readonly line: number;
  /** There was a request: under this ID it can be repeated safely. */
  readonly txn_id?: string;
  readonly error: ErrorBody;
}

/** A line of the output of `send`. */
export type SendResult = AcceptedResult | UnsentResult;

/** What would be sent. */
export interface PlannedRequest {
  readonly method: 'PUT';
  /** Without a homeserver, the path. */
  readonly url: string;
  readonly body: JsonText;
  readonly line?: number | undefined;
}

/** A line, without its end. */
export function renderSendResult(result: SendResult, palette: Palette): string {
  const line = result.line === undefined ? '' : palette.faint(`${result.line}  `);
  if (result.status !== 'accepted') {
    return `${line}${palette.bad(result.status)}  ${escapeText(result.error.message)}`;
  }
  const { to, device, type, txn_id: txnId, attempts, elapsed_ms: elapsedMs } = result;
  const facts = [
    `transaction ${escapeText(txnId)}`,
    ...(attempts === 1 ? [] : [`${attempts} attempts`]),
    `${elapsedMs} ms`,
  ].join(', ');
  const as = result.as === undefined ? '' : ` as ${palette.name(escapeText(result.as))}`;
  const what = `${escapeText(type)} to ${palette.name(escapeText(to))}${renderDevice(device)}${as}`;
  return `${line}${palette.good('accepted')}  ${what}  ${palette.faint(`(${facts})`)}`;
}

/** `{"v":1,"method","url","body","line"?}`, with the body as it would go out. */
export function encodePlannedRequest({ method, url, body, line }: PlannedRequest): string {
  const number = line === undefined ? '' : `,"line":${line}`;
  return `{"v":1,"method":"${method}","url":${JSON.stringify(url)},"body":${body}${number}}`;
}

/** The request for people: two lines, without the last end. */
export function renderPlannedRequest({ method, url, body }: PlannedRequest, palette: Palette): string {
  return `${palette.strong(method)} ${escapeText(url)}\n${escapeText(body)}`;
}

/**
 * A command line for any shell with curl: `path` on `$MX2S_HOMESERVER` with the token in `$MX2S_ACCESS_TOKEN`.
 * @param path percent-encoded, so nothing in it means anything between double quotes
 */
export function renderCurl({ method, url: path, body }: PlannedRequest): string {
  return [
    `curl -X ${method} "$MX2S_HOMESERVER${path}"`,
    '-H "Authorization: Bearer $MX2S_ACCESS_TOKEN"',
    "-H 'Content-Type: application/json'",
    `-d ${quoteForShell(body)}`,
  ].join(' ');
}

/** A line that was not accepted, as a comment among commands. */
export function renderUnsentComment({ line, error }: UnsentResult): string {
  return `# line ${line}: ${escapeText(error.message)}`;
}

/** The summary of many messages; `verb` is what was done with those that could be sent. */
export function renderTally({ sent, rejected, failed, stoppedAfter }: LineTally, verb: string): string {
  const counts = `${sent} ${verb}, ${rejected} rejected, ${failed} failed`;
  return stoppedAfter === undefined ? counts : `${counts}; stopped after line ${stoppedAfter}`;
}

function renderDevice(device: string): string {
  if (isServerDevice(device)) return '';
  return device === WILDCARD_DEVICE ? ' (all devices)' : ` (device ${escapeText(device)})`;
}
