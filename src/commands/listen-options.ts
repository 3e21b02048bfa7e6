/** `mx2s listen`: what its flags ask for. */
import { parseDurationMs } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import type { SyncApi } from '../config/position.js';
import { parseUserId } from '../ids/user-id.js';
import { parseHeaderArgument, type HeaderArgument } from '../listen/forward-headers.js';
import { parseForwardUrl } from '../listen/forward-hook.js';
import type { SelectionRules } from '../listen/selection.js';
import type { Flags, Typed } from './define.js';
import { parseCount } from './globals.js';

export interface ListenOptions {
  /** `peek` looks and leaves everything in place, `discard` empties the queue unread. */
  readonly action: 'listen' | 'peek' | 'discard';
  /** How many events to print; infinite for all. */
  readonly count: number;
  /** For the whole run. */
  readonly timeoutMs: number | undefined;
  /** Infinite for ever. */
  readonly idleMs: number;
  readonly drain: boolean;
  readonly since: Since;
  readonly selection: SelectionRules;
  readonly raw: boolean;
  readonly hook: HookOptions | undefined;
  readonly readyFile: string | undefined;
  readonly sync: SyncApi;
  /** Infinite for ever. */
  readonly maxOfflineMs: number;
  readonly sharedDevice: boolean;
}

/** Where to begin: at the stored position, with everything that is not acknowledged, or at a token. */
export type Since = { readonly from: 'stored' | 'start' } | { readonly token: string };

export interface HookOptions {
  readonly target:
    { readonly command: string } | { readonly url: string; readonly headers: readonly HeaderArgument[] };
  readonly retries: number;
  readonly onFailure: 'stop' | 'skip';
}

/** @throws UsageError, InvalidInputError */
export function parseListenOptions({ flags }: Typed): ListenOptions {
  const count = flags.text('count');
  const timeout = flags.text('timeout');
  const options: ListenOptions = {
    action: actionOf(flags),
    count: count === undefined ? Infinity : parseCount(count, '--count', 1),
    timeoutMs: timeout === undefined ? undefined : parseDurationMs(timeout, '--timeout'),
    idleMs: durationOr(Infinity, flags.text('idle'), '--idle'),
    drain: flags.given('drain'),
    since: parseSince(flags.text('since') ?? 'stored'),
    selection: {
      types: flags.texts('type'),
      notTypes: flags.texts('notType'),
      from: flags.texts('from').map((id) => parseUserId(id, 'historical')),
      anySender: flags.given('anySender'),
    },
    raw: flags.given('raw'),
    hook: hookOf(flags),
    readyFile: flags.text('readyFile'),
    sync: parseSync(flags.text('sync') ?? 'v3'),
    maxOfflineMs: durationOr(Infinity, flags.text('maxOffline'), '--max-offline'),
    sharedDevice: flags.given('sharedDevice'),
  };
  refuseContradictions(flags, options);
  return options;
}

function actionOf(flags: Flags): ListenOptions['action'] {
  if (flags.given('peek') && flags.given('discard')) throw excludes('--peek', '--discard');
  if (flags.given('peek')) return 'peek';
  return flags.given('discard') ? 'discard' : 'listen';
}

function durationOr(fallback: number, text: string | undefined, flag: string): number {
  return text === undefined ? fallback : parseDurationMs(text, flag);
}

function parseSince(text: string): Since {
  if (text === 'stored' || text === 'start') return { from: text };
  if (text === '' || text === 'new') {
    throw new InvalidInputError(`--since: ${JSON.stringify(text)} is nothing to begin at`, {
      at: '--since',
      hint: 'it is stored, start, or a token of the homeserver; --discard throws away what waits',
    });
  }
  return { token: text };
}

function parseSync(text: string): SyncApi {
  if (text === 'v3' || text === 'sliding') return text;
  throw new UsageError(`--sync: ${JSON.stringify(text)} is not one of v3, sliding`);
}

function hookOf(flags: Flags): HookOptions | undefined {
  const command = flags.text('exec');
  const url = flags.text('forwardTo');
  const headers = flags.texts('header');
  if (command?.trim() === '') {
    throw new UsageError('--exec: the command is empty', { hint: 'it takes a line for sh -c' });
  }
  if (command !== undefined && url !== undefined) throw excludes('--exec', '--forward-to');
  if (headers.length > 0 && url === undefined) throw needs('--header', '--forward-to');
  const retries = parseCount(flags.text('hookRetries') ?? '5', '--hook-retries');
  const onFailure = parseOnFailure(flags.text('onHookFailure') ?? 'stop');
  if (url !== undefined) {
    return {
      target: { url: parseForwardUrl(url), headers: headers.map(parseHeaderArgument) },
      retries,
      onFailure,
    };
  }
  if (command !== undefined) return { target: { command }, retries, onFailure };
  for (const [name, flag] of HOOK_FLAGS) {
    if (flags.given(name)) throw needs(flag, '--exec or --forward-to');
  }
  return undefined;
}

function parseOnFailure(text: string): HookOptions['onFailure'] {
  if (text === 'stop' || text === 'skip') return text;
  throw new UsageError(`--on-hook-failure: ${JSON.stringify(text)} is not one of stop, skip`);
}

/** A flag that would have no effect is a misunderstanding, and with `--discard` a dear one. */
function refuseContradictions(flags: Flags, { action, since }: ListenOptions): void {
  const barred = action === 'peek' ? PEEK_BARS : action === 'discard' ? DISCARD_BARS : [];
  for (const [name, flag] of barred) {
    if (flags.given(name)) throw excludes(`--${action}`, flag);
  }
  if (action === 'peek' && 'token' in since) throw excludes('--peek', '--since');
}

function excludes(one: string, other: string): UsageError {
  return new UsageError(`${one} does not go with ${other}`, { hint: 'leave one of them out' });
}

function needs(flag: string, other: string): UsageError {
  return new UsageError(`${flag} goes with ${other}`, { hint: `add ${other}, or leave it out` });
}

type FlagName = readonly [name: string, flag: string];

const HOOK_FLAGS: readonly FlagName[] = [
  ['hookRetries', '--hook-retries'],
  ['onHookFailure', '--on-hook-failure'],
];
const PEEK_BARS: readonly FlagName[] = [
  ['exec', '--exec'],
  ['forwardTo', '--forward-to'],
];
const DISCARD_BARS: readonly FlagName[] = [
  ...PEEK_BARS,
  ['count', '--count'],
  ['type', '--type'],
  ['notType', '--not-type'],
  ['from', '--from'],
  ['anySender', '--any-sender'],
  ['raw', '--raw'],
];
