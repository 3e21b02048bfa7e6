/** `mx2s send`: what its flags ask for. */
import type { Command } from 'commander';
import { UsageError } from '../errors.js';
import {
  parseAddressee,
  parseEventType,
  parseRecipient,
  parseTransactionId,
  type EventType,
  type Recipient,
  type TransactionId,
} from '../todevice/message.js';
import type { LineForm } from '../todevice/message-lines.js';
import type { Flags, Typed } from './define.js';
import { parseCount, type Globals } from './globals.js';
import { parseSendAs, type SendAs } from './send-as-options.js';

export type SendOptions = OneMessage | ManyMessages;

/** What to do with a message, and as whom. */
export interface ActionChoice {
  readonly action: ActionName;
  /** Undefined: as the user who is logged in. */
  readonly as: SendAs | undefined;
}

export interface OneMessage extends ActionChoice {
  readonly kind: 'one';
  readonly recipient: Recipient;
  readonly type: EventType;
  /** As typed: JSON, `@FILE` or `@-`. */
  readonly data: string;
  readonly txnId: TransactionId | undefined;
}

export interface ManyMessages extends ActionChoice {
  readonly kind: 'many';
  readonly form: LineForm;
  readonly concurrency: number;
  readonly failFast: boolean;
}

/** Send it; or print the request, or a command line that would make it. */
export type ActionName = 'send' | 'dry-run' | 'curl';

/** What every command that sends a message asks for: to whom, of which type, with which content. */
export function addMessageFlags(command: Command): Command {
  return command
    .argument('[to]', '@:domain for a server, @user:domain for a user (with --device)')
    .option('-t, --type <type>', 'event type, like org.example.type')
    .option('-d, --data <json>', 'content: a JSON object, or @FILE, or @- for stdin (default: {})')
    .option('--device <id>', 'device; \'*\' for all; a server has none but "", the default');
}

/** @throws UsageError, InvalidInputError */
export function parseSendOptions({ args: [to], flags, globals }: Typed): SendOptions {
  return flags.given('ndjson') ? manyMessages(to, flags, globals) : oneMessage(to, flags, globals);
}

function oneMessage(to: string | undefined, flags: Flags, globals: Globals): OneMessage {
  for (const [name, flag] of NDJSON_FLAGS) {
    if (flags.given(name)) throw new UsageError(`${flag} goes with --ndjson`, { hint: 'add --ndjson' });
  }
  const data = flags.text('data') ?? '{}';
  const choice = actionChoice(flags);
  if (data === '@-') stdinIsFree('-d @-', globals, choice.as);
  const txnId = flags.text('txnId');
  return {
    kind: 'one',
    recipient: parseRecipient(required(to, 'TO', TO_HINT), flags.text('device')),
    type: parseEventType(required(flags.text('type'), '--type', TYPE_HINT)),
    data,
    txnId: txnId === undefined ? undefined : parseTransactionId(txnId),
    ...choice,
  };
}

function manyMessages(to: string | undefined, flags: Flags, globals: Globals): ManyMessages {
  const choice = actionChoice(flags);
  stdinIsFree('--ndjson', globals, choice.as);
  if (flags.given('data')) {
    throw new UsageError('--data does not go with --ndjson', {
      hint: 'the contents come from stdin, one a line',
    });
  }
  if (flags.given('txnId')) {
    throw new UsageError('--txn-id does not go with --ndjson: one ID cannot stand for many messages', {
      hint: 'leave it out, or give each line its txn_id with --envelope',
    });
  }
  return {
    kind: 'many',
    form: flags.given('envelope') ? envelopeForm(to, flags) : contentForm(to, flags),
    concurrency: parseCount(flags.text('concurrency') ?? '1', '--concurrency', 1),
    failFast: flags.given('failFast'),
    ...choice,
  };
}

function contentForm(to: string | undefined, flags: Flags): LineForm {
  return {
    kind: 'content',
    recipient: parseRecipient(
      required(to, 'TO', `${TO_HINT}; or read it from each line with --envelope`),
      flags.text('device'),
    ),
    type: parseEventType(
      required(flags.text('type'), '--type', `${TYPE_HINT}; or read it from each line with --envelope`),
    ),
  };
}

function envelopeForm(to: string | undefined, flags: Flags): LineForm {
  const type = flags.text('type');
  return {
    kind: 'envelope',
    defaults: {
      to: to === undefined ? undefined : parseAddressee(to),
      device: flags.text('device'),
      type: type === undefined ? undefined : parseEventType(type),
    },
  };
}

/** @throws UsageError when the value is missing */
export function required(value: string | undefined, what: string, hint: string): string {
  if (value === undefined) throw new UsageError(`${what} is missing`, { hint });
  return value;
}

/** @throws UsageError when a secret comes from stdin, which `reader` wants, too */
export function stdinIsFree(reader: string, { accessTokenFile }: Globals, as?: SendAs): void {
  if (as?.signingKeyFile === '-') {
    throw new UsageError(`${reader} and --signing-key - both read stdin`, {
      hint: 'put the key into a file',
    });
  }
  if (accessTokenFile !== '-') return;
  throw new UsageError(`${reader} and --access-token-file - both read stdin`, {
    hint: 'put the access token into a file, or into MX2S_ACCESS_TOKEN',
  });
}

function actionChoice(flags: Flags): ActionChoice {
  const as = parseSendAs(flags);
  if (flags.given('curl')) {
    if (as === undefined) return { action: 'curl', as };
    throw new UsageError(
      '--curl does not go with --as: the request is signed for a server that is found first',
      {
        hint: 'see what would be sent with --dry-run',
      },
    );
  }
  return { action: flags.given('dryRun') ? 'dry-run' : 'send', as };
}

const NDJSON_FLAGS = [
  ['envelope', '--envelope'],
  ['concurrency', '--concurrency'],
  ['failFast', '--fail-fast'],
] as const;
export const TO_HINT = 'name @:example.org for a server, or @alice:example.org with --device';
export const TYPE_HINT = 'name the event type, as in -t org.example.type';
