/** `mx2s request`: what its arguments and flags ask for. */
import { parseDurationMs } from '../duration.js';
import { parseContentMatch, type ContentMatch } from '../todevice/correlate.js';
import { compileGlob, type Glob } from '../todevice/glob.js';
import { parseEventType, parseRecipient, type EventType, type Recipient } from '../todevice/message.js';
import type { Typed } from './define.js';
import { parseCount } from './globals.js';
import { required, stdinIsFree, TO_HINT, TYPE_HINT } from './send-options.js';

export interface RequestOptions {
  readonly recipient: Recipient;
  readonly type: EventType;
  /** As typed: JSON, `@FILE` or `@-`. */
  readonly data: string;
  /** Placeholders in the content, and in the values of `matches`, are filled. */
  readonly isTemplate: boolean;
  readonly replyType: Glob;
  readonly matches: readonly ContentMatch[];
  /** How many answers to wait for. */
  readonly replies: number;
  /** How long, from when the message was accepted. */
  readonly timeoutMs: number;
  /** Print the content of the answer only. */
  readonly raw: boolean;
  readonly sharedDevice: boolean;
}

/** @throws UsageError, InvalidInputError */
export function parseRequestOptions({ args: [to], flags, globals }: Typed): RequestOptions {
  const data = flags.text('data') ?? '{}';
  if (data === '@-') stdinIsFree('-d @-', globals);
  return {
    recipient: parseRecipient(required(to, 'TO', TO_HINT), flags.text('device')),
    type: parseEventType(required(flags.text('type'), '--type', TYPE_HINT)),
    data,
    isTemplate: flags.given('template'),
    replyType: compileGlob(flags.text('replyType') ?? '*'),
    matches: flags.texts('match').map(parseContentMatch),
    replies: parseCount(flags.text('replies') ?? '1', '--replies', 1),
    timeoutMs: parseDurationMs(flags.text('timeout') ?? '10s', '--timeout'),
    raw: flags.given('raw'),
    sharedDevice: flags.given('sharedDevice'),
  };
}
