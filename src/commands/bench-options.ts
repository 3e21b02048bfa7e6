/** `mx2s bench`: what its arguments and flags ask for. Pure. */
import type { Command } from 'commander';
import type { IdentifierKind } from '../bench/identifiers.js';
import type { LoadPlan } from '../bench/load.js';
import { parseProfileName, type ProfileName } from '../config/profiles.js';
import { parseDurationMs, parseRatePerSecond } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import type { Grammar } from '../ids/verdict.js';
import { parseEventType, parseRecipient, type EventType, type Recipient } from '../todevice/message.js';
import { addExamples, type Flags, type Typed } from './define.js';
import { parseCount } from './globals.js';
import { parseGrammar, parseKind } from './id-words.js';
import { required, stdinIsFree, TO_HINT, TYPE_HINT } from './send-options.js';

export type BenchOptions = SendBench | ListenBench | ServeBench | ValidateBench;

/** How much is done at most, and what of that was asked for. */
export interface BenchPlan extends LoadPlan {
  /** The count was typed: not to reach it is a failure. */
  readonly isGoal: boolean;
}

export interface SendBench extends BenchPlan {
  readonly bench: 'send';
  readonly recipient: Recipient;
  readonly type: EventType;
  /** As typed: JSON, `@FILE` or `@-`. */
  readonly data: string;
}

export interface ListenBench extends BenchPlan {
  readonly bench: 'listen';
  /** The profile of the account that sends; default: that of the environment, else the one that listens. */
  readonly other: ProfileName | undefined;
  readonly sharedDevice: boolean;
}

export interface ServeBench extends BenchPlan {
  readonly bench: 'serve';
}

export interface ValidateBench {
  readonly bench: 'validate';
  /** A file as typed, or `-` for stdin; undefined: identifiers are made. */
  readonly source: string | undefined;
  /** How many are made. */
  readonly count: number;
  readonly isGoal: boolean;
  readonly timeoutMs: number;
  readonly kind: IdentifierKind;
  readonly grammar: Grammar;
}

export type BenchName = BenchOptions['bench'];

export function configureBench(command: Command): void {
  command
    .usage('send TO -t TYPE | listen | serve | validate [FILE|-]  [options]')
    .addArgument(command.createArgument('<what>', 'what to measure').choices(NAMES))
    .argument('[on]', 'send: @:domain, or @user:domain with --device; validate: a file, or - for stdin')
    .option('-t, --type <type>', 'send: event type, like org.example.type')
    .option('-d, --data <json>', 'send: content: a JSON object, or @FILE, or @- for stdin (default: {})')
    .option('--device <id>', 'send: device; \'*\' for all; a server has none but "", the default')
    .option(
      '-C, --count <n>',
      'how many messages (default: 100), rounds of serve (10000) or identifiers (1000000)',
    )
    .option('-j, --concurrency <n>', 'requests in flight (default: 1; serve: 8)')
    .option('--rate <n/s>', 'at most so many a second, or max for any number (default: 10/s; serve: max)')
    .option(
      '-W, --timeout <duration>',
      'begin nothing more after so long, and give up what is under way (default: 60s)',
    )
    .option(
      '--other <profile>',
      'listen: the account that sends (default: MX2S_OTHER_ACCESS_TOKEN, or itself)',
    )
    .option(
      '--shared-device',
      'listen: read although another client uses this device, and would lose messages',
    )
    .option('--kind <user|server|device>', 'validate: what the identifiers are (default: user)')
    .option('--grammar <msc4246|strict|historical>', 'validate: what decides (default: msc4246)')
    .addHelpText('after', HELP);
  addExamples(command, EXAMPLES);
}

/** @throws UsageError, InvalidInputError */
export function parseBenchOptions({ args: [what, on], flags, globals }: Typed): BenchOptions {
  const bench = NAMES.find((name) => name === what) ?? 'send'; // commander refuses others
  refuseStrangers(bench, on, flags);
  switch (bench) {
    case 'send': {
      const data = flags.text('data') ?? '{}';
      if (data === '@-') stdinIsFree('-d @-', globals);
      return {
        bench,
        recipient: parseRecipient(required(on, 'TO', TO_HINT), flags.text('device')),
        type: parseEventType(required(flags.text('type'), '--type', TYPE_HINT)),
        data,
        ...parsePlan(flags, GENTLE),
      };
    }
    case 'listen': {
      const other = flags.text('other');
      return {
        bench,
        other: other === undefined ? undefined : parseProfileName(other),
        sharedDevice: flags.given('sharedDevice'),
        ...parsePlan(flags, GENTLE),
      };
    }
    case 'serve':
      return { bench, ...parsePlan(flags, OWN_SERVER) };
    case 'validate':
      return parseValidate(on, flags);
  }
}

function parseValidate(source: string | undefined, flags: Flags): ValidateBench {
  if (source !== undefined && flags.given('count')) {
    throw new UsageError('--count does not go with identifiers that are given', {
      hint: 'leave it out, or leave out the file, so that identifiers are made',
    });
  }
  const { count, isGoal, timeoutMs } = parsePlan(flags, MANY);
  return {
    bench: 'validate',
    source,
    count,
    isGoal,
    timeoutMs,
    kind: parseKind(flags.text('kind')),
    grammar: parseGrammar(flags.text('grammar')),
  };
}

function parsePlan(flags: Flags, usual: Usual): BenchPlan {
  const [count, concurrency] = [flags.text('count'), flags.text('concurrency')];
  const timeoutMs = parseDurationMs(flags.text('timeout') ?? '60s', '--timeout');
  if (timeoutMs === 0)
    throw new InvalidInputError('--timeout: to measure takes some time', { at: '--timeout' });
  return {
    count: count === undefined ? usual.count : parseCount(count, '--count', 1),
    isGoal: count !== undefined,
    concurrency: concurrency === undefined ? usual.concurrency : parseCount(concurrency, '--concurrency', 1),
    ratePerSecond: parseRate(flags.text('rate') ?? usual.rate),
    timeoutMs,
  };
}

function parseRate(text: string): number {
  return text === 'max' ? Infinity : parseRatePerSecond(text, '--rate');
}

/** @throws UsageError when something was typed that means nothing for what is to be measured */
function refuseStrangers(bench: BenchName, on: string | undefined, flags: Flags): void {
  if (on !== undefined && bench !== 'send' && bench !== 'validate') {
    throw new UsageError(`bench ${bench} takes no argument: '${on}'`, { hint: 'run mx2s bench --help' });
  }
  for (const [name, flag, benches] of FLAGS) {
    if (!flags.given(name) || benches.includes(bench)) continue;
    throw new UsageError(`${flag} does not go with bench ${bench}`, {
      hint: `it is for bench ${benches.join(' and bench ')}`,
    });
  }
}

interface Usual {
  readonly count: number;
  readonly concurrency: number;
  readonly rate: string;
}

/** The homeserver may be one that people use. */
const GENTLE: Usual = { count: 100, concurrency: 1, rate: '10/s' };
/** The homeserver is ours, and nobody else's. */
const OWN_SERVER: Usual = { count: 10_000, concurrency: 8, rate: 'max' };
const MANY: Usual = { count: 1_000_000, concurrency: 1, rate: 'max' };
const NAMES: readonly BenchName[] = ['send', 'listen', 'serve', 'validate'];
/** Those that are not for all: the name, the flag, and what they are for. */
const FLAGS: readonly (readonly [string, string, readonly BenchName[]])[] = [
  ['type', '--type', ['send']],
  ['data', '--data', ['send']],
  ['device', '--device', ['send']],
  ['concurrency', '--concurrency', ['send', 'listen', 'serve']],
  ['rate', '--rate', ['send', 'listen', 'serve']],
  ['other', '--other', ['listen']],
  ['sharedDevice', '--shared-device', ['listen']],
  ['kind', '--kind', ['validate']],
  ['grammar', '--grammar', ['validate']],
];
const HELP = `
What is measured:
  send      how long the homeserver takes to accept a message; what becomes of it then, nobody can say from here
  listen    how long a message takes from its sender to where it is read, through this device's own queue; what else is
            read there is kept for the next mx2s listen
  serve     rounds of sendToDevice and sync against an embedded homeserver, in a process of its own
  validate  how many identifiers validate-id --count checks in a second

One object for each run; percentiles are right to within 1 %. No message is sent twice, whatever --retries says, and the
first failure ends the run. Who falls behind --rate does not make up for it: compare rate with what was asked for.`;
const EXAMPLES = [
  'mx2s bench send @:example.org -t org.example.whatever',
  'mx2s bench send @:example.org -t org.example.whatever --count 1000 --rate 50/s -j 4 --json',
  'mx2s bench listen --count 600 --rate 20/s',
  'mx2s bench serve -j 16',
  'mx2s bench validate - < ids.txt',
];
