/** From the flags of `mx2s gateway` to what is asked for. Pure. */
import type { Command } from 'commander';
import { parseHomeserverUrl } from '../client/homeserver-url.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';
import { addExamples, type Typed } from './define.js';
import { parseCount } from './globals.js';
import { addHandlerFlags, parseHandlerOptions, type HandlerOptions } from './handler-options.js';

export type GatewayCommand = GatewayInit | GatewayRun;

/** `gateway init`. */
export interface GatewayInit {
  readonly action: 'init';
  /** Where the registration goes, as typed. */
  readonly file: string;
  readonly homeserver: string;
  readonly serverName: ServerName;
}

export interface GatewayRun extends HandlerOptions {
  readonly action: 'run';
  readonly entry: GatewayEntry;
  readonly handlerRetries: number;
  readonly healthPort: number | undefined;
  readonly logFile: string | undefined;
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
    .usage('[init] --registration FILE|--password-file FILE [options]')
    .argument('[init]', 'make the registration, and say what to do with it')
    .option('--registration <file>', 'the registration as an application service')
    .option('--password-file <file>', 'the password of the server user, where it is an ordinary account')
    .option('--server-name <name>', 'the name of the server (default: what the registration says)');
  addHandlerFlags(command, 'how often each sender may address the server (default: any number)');
  command
    .option('--handler-retries <n>', 'how often a handler that failed is called again', '2')
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
  const healthPort = flags.text('healthPort');
  return {
    action: 'run',
    entry: parseEntry(files, place),
    ...parseHandlerOptions(flags),
    handlerRetries: parseCount(flags.text('handlerRetries') ?? '2', '--handler-retries'),
    healthPort: healthPort === undefined ? undefined : parsePort(healthPort),
    logFile: flags.text('log'),
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
const HANDLER_HELP = `
Handlers are those of mx2s serve (see mx2s serve --help), but none learns the sending device: an answer goes to the
device that the content names under device_id, else to all devices of the sender.
--handler-concurrency is for all handlers together.

With --registration the gateway is an application service, as Synapse lets it be. With --password-file it logs in to an
account with the empty localpart that is there already: docs/homeservers.md says how to have one on Dendrite.`;
const EXAMPLES = [
  'mx2s gateway init --homeserver https://matrix.example.org --server-name example.org --registration mx2s.yaml',
  'mx2s gateway --registration mx2s.yaml --on "org.example.*=http://127.0.0.1:9000/handle"',
  'mx2s gateway --registration mx2s.yaml --on "org.example.*=exec:./handle.sh" --health-port 9300',
  'mx2s gateway --homeserver https://matrix.example.org --server-name example.org --password-file server-user.txt',
];
