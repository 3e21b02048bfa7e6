/** From the flags of `mx2s gateway` to what is asked for. Pure. */
import type { Command } from 'commander';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { parseDurationMs } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';
import { natsServiceOf, queueRulesOf } from '../subsystems/table.js';
import { addExamples, type Typed } from './define.js';
import { parseCount } from './globals.js';
import type { StageOptions } from './gateway-stage.js';
import { addHandlerFlags, parseHandlerOptions } from './handler-options.js';

export type GatewayCommand = GatewayInit | GatewayRun | GatewayMember;

/** `gateway init`. */
export interface GatewayInit {
  readonly action: 'init';
  /** Where the registration goes, as typed. */
  readonly file: string;
  readonly homeserver: string;
  readonly serverName: ServerName;
}

export interface GatewayRun extends StageOptions {
  readonly action: 'run';
  readonly entry: GatewayEntry;
  readonly handlerRetries: number;
  /** Infinite: for as long as it takes. */
  readonly handlerWaitMs: number;
  /** The queue group that it is a member of, besides. */
  readonly queue: string | undefined;
}

/** One that reads no device, and is a member of a queue group only. */
export interface GatewayMember extends StageOptions {
  readonly action: 'member';
  readonly serverName: ServerName;
  readonly queue: string;
}

/** What lets the gateway in. Files are as typed. */
export type GatewayEntry =
  /** Undefined: what the registration says. */
  | {
      readonly registrationFile: string;
      readonly homeserver: string | undefined;
      readonly serverName: ServerName | undefined;
    }
  | { readonly passwordFile: string; readonly homeserver: string; readonly serverName: ServerName };

export function configureGateway(command: Command): void {
  command
    .usage(
      '--registration FILE|--password-file FILE|--nats-queue NAME [options]\n' +
        '       mx2s gateway init --homeserver URL --server-name NAME --registration FILE',
    )
    .argument('[init]', 'make the registration, and say what to do with it; takes the three flags above')
    .option('--registration <file>', 'the registration as an application service; init writes it')
    .option('--password-file <file>', 'the password of the server user, where it is an ordinary account')
    .option('--server-name <name>', 'the name of the server (default: what the registration says)');
  addHandlerFlags(command, 'how often each sender may address the server (default: any number)');
  command
    .option('--handler-retries <n>', 'how often a handler that failed is called again', '2')
    .option(
      '--handler-wait <duration>',
      'how long to wait for a handler that is not there (default: for ever)',
    )
    .option('--nats-queue <name>', 'handle messages of nats:// rules, too, as a member of this queue group')
    .option('--log <file>', 'write the event log to a file, too')
    .option('--health-port <n>', 'answer /live, /ready and /metrics on this port of loopback; 0 for any');
  command.addHelpText('after', HANDLER_HELP);
  addExamples(command, EXAMPLES);
}

/** @throws UsageError, InvalidInputError */
export function parseGatewayOptions({ args: [verb], flags, globals }: Typed): GatewayCommand {
  if (verb !== undefined && verb !== 'init') {
    throw new UsageError(`unknown command 'gateway ${verb}'`, { hint: 'mx2s gateway init, or mx2s gateway' });
  }
  const homeserver = globals.homeserver === undefined ? undefined : parseHomeserverUrl(globals.homeserver);
  const place = { homeserver, serverName: parseName(flags.text('serverName')) };
  const files = { registration: flags.text('registration'), password: flags.text('passwordFile') };
  if (verb === 'init') return parseInit(files, place);
  const queue = parseQueue(flags.text('natsQueue'));
  const healthPort = flags.text('healthPort');
  const options = {
    ...parseHandlerOptions(flags),
    healthPort: healthPort === undefined ? undefined : parsePort(healthPort),
    logFile: flags.text('log'),
  };
  if (queue !== undefined && options.handlers.every((rule) => natsServiceOf(rule) === undefined)) {
    throw new UsageError('--nats-queue goes with a nats:// handler', { hint: QUEUE_HINT });
  }
  const handlerWait = flags.text('handlerWait');
  const isReader = files.registration !== undefined || files.password !== undefined;
  if (queue !== undefined && !isReader) return parseMember(queue, place.serverName, options);
  return {
    action: 'run',
    entry: parseEntry(files, place),
    ...options,
    handlerRetries: parseCount(flags.text('handlerRetries') ?? '2', '--handler-retries'),
    handlerWaitMs: handlerWait === undefined ? Infinity : parseDurationMs(handlerWait, '--handler-wait'),
    queue,
  };
}

interface Files {
  readonly registration: string | undefined;
  readonly password: string | undefined;
}

interface Place {
  readonly homeserver: string | undefined;
  readonly serverName: ServerName | undefined;
}

function parseInit({ registration: file, password }: Files, { homeserver, serverName }: Place): GatewayInit {
  if (password !== undefined) {
    throw new UsageError('gateway init makes a registration, which needs no password', {
      hint: 'leave --password-file out, or run mx2s gateway',
    });
  }
  if (file === undefined || file === '') throw noRegistration('add --registration FILE');
  if (homeserver === undefined || serverName === undefined) {
    throw new UsageError('gateway init needs --homeserver and --server-name', {
      hint: 'mx2s gateway init --homeserver URL --server-name NAME --registration FILE',
    });
  }
  return { action: 'init', file, homeserver, serverName };
}

function parseEntry({ registration, password }: Files, { homeserver, serverName }: Place): GatewayEntry {
  if (password === undefined) {
    if (registration === undefined || registration === '') {
      throw noRegistration('add --registration FILE, or --password-file FILE');
    }
    return { registrationFile: registration, homeserver, serverName };
  }
  if (registration !== undefined) {
    throw new UsageError('--registration and --password-file exclude each other', {
      hint: 'give one of them',
    });
  }
  if (homeserver === undefined || serverName === undefined) {
    throw new UsageError('--password-file needs --homeserver and --server-name', {
      hint: 'mx2s gateway --homeserver URL --server-name NAME --password-file FILE',
    });
  }
  return { passwordFile: password, homeserver, serverName };
}

function parseMember(
  queue: string,
  serverName: ServerName | undefined,
  options: StageOptions,
): GatewayMember {
  if (serverName === undefined) {
    throw new UsageError('it is not said whose messages are handled', { hint: 'add --server-name NAME' });
  }
  if (queueRulesOf(options.handlers).services.length === 0) {
    throw new UsageError('no nats:// rule has a handler with the same pattern below it', {
      hint: QUEUE_HINT,
    });
  }
  return { action: 'member', serverName, queue, ...options };
}

/** NATS ends a name at white space. */
function parseQueue(text: string | undefined): string | undefined {
  if (text === undefined || /^[^\s\p{Cc}]+$/u.test(text)) return text;
  throw new InvalidInputError(`--nats-queue: '${text}' is no name of a queue group`, {
    at: '--nats-queue',
    hint: 'a name without white space, for example --nats-queue workers',
  });
}

function noRegistration(hint: string): UsageError {
  return new UsageError('no registration was named', { hint });
}

function parseName(text: string | undefined): ServerName | undefined {
  if (text === undefined) return undefined;
  const name = parseServerName(text);
  serverUserOf(name); // a server whose user ID would be too long cannot be addressed
  return name;
}

function parsePort(text: string): number {
  const port = parseCount(text, '--health-port');
  if (port <= MAX_PORT) return port;
  throw new InvalidInputError(`--health-port: there is no port ${port}`, { at: '--health-port' });
}

const MAX_PORT = 65_535;
const QUEUE_HINT = `for example --on 'org.example.*=nats://localhost/matrix.example' --on 'org.example.*=exec:./handle.sh'`;
const HANDLER_HELP = `
Handlers are those of mx2s serve (see mx2s serve --help), but none learns the sending device: an answer goes to the
device that the content names under device_id, else to all devices of the sender.
--handler-concurrency is for all handlers together.

A handler that fails is called again --handler-retries times, then its message is skipped. One that is not there (its
connection refused, NATS away or without responders) is waited for: its message is kept, and all behind it wait, too.
--handler-wait bounds that for the sake of other handlers; after it, not being there counts as failing.

With --nats-queue it takes messages, as well as it hands them over: below a nats:// rule, a second rule with the same
pattern is the handler of what comes from there. One that has no --registration does nothing else, and any number of
them share the work.

With --registration the gateway is an application service, as Synapse lets it be. With --password-file it logs in to an
account with the empty localpart that is there already: docs/homeservers.md says how to have one on Dendrite.`;
const EXAMPLES = [
  'mx2s gateway init --homeserver https://matrix.example.org --server-name example.org --registration mx2s.yaml',
  'mx2s gateway --registration mx2s.yaml --on "org.example.*=http://127.0.0.1:9000/handle"',
  'mx2s gateway --registration mx2s.yaml --on "org.example.*=exec:./handle.sh" --health-port 9300',
  'mx2s gateway --homeserver https://matrix.example.org --server-name example.org --password-file server-user.txt',
  'mx2s gateway --server-name example.org --nats-queue workers --on "*=nats://localhost/matrix" --on "*=exec:./handle.sh"',
];
