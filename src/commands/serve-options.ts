/** From the flags of `mx2s serve` to what is asked for. Pure. */
import type { Command } from 'commander';
import { InvalidInputError, UsageError } from '../errors.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { gradeUserId, serverUserOf } from '../ids/user-id.js';
import { ID_REASONS } from '../ids/verdict.js';
import { addExamples, collect, type Flags, type Typed } from './define.js';
import { parseCount } from './globals.js';
import { addHandlerFlags, parseHandlerOptions, type HandlerOptions } from './handler-options.js';
import { parseCertificateFiles, type CertificateFiles } from './listening-options.js';

export interface ServeOptions extends HandlerOptions {
  readonly host: string;
  readonly port: number;
  readonly serverName: ServerName | undefined;
  /** Localparts; empty for the default ones. */
  readonly users: readonly string[];
  readonly allowRegistration: boolean;
  readonly federation: ServeFederationOptions;
  /** Where the server remembers what is to outlive it. */
  readonly dataFile: string | undefined;
  readonly logFile: string | undefined;
  readonly envFile: string | undefined;
  /** `-- CMD…`; empty to serve until a signal comes. */
  readonly command: readonly string[];
}

export interface ServeFederationOptions {
  /** Undefined for no listener of its own. */
  readonly port: number | undefined;
  readonly certificateFiles: CertificateFiles | undefined;
  readonly signingKeyFile: string | undefined;
  /** Certificates to trust in other servers. */
  readonly caCertFile: string | undefined;
  /** Any certificate of other servers will do, and they may be on this machine and in its network. */
  readonly insecure: boolean;
}

export function configureServe(command: Command): void {
  command
    .usage('[options] [-- command...]')
    .argument('[command...]', 'after --: run this command beside the server, and stop with its exit status')
    .option('--host <address>', 'the address to listen on', '127.0.0.1')
    .option('--port <n>', 'the port to listen on, for clients and other servers; 0 for any', '0')
    .option('--server-name <name>', 'the name of the server (default: HOST:FEDERATION_PORT, else HOST:PORT)')
    .option('--user <name>', 'make an account; may be repeated (default: alice, bob)', collect)
    .option('--allow-registration', 'let clients make accounts');
  addHandlerFlags(
    command,
    'how often each sender, and each other server, may address the server (default: any number)',
  );
  command
    .option('--data <file>', 'remember accounts, messages and the signing key in this SQLite file')
    .option('--federation-port <n>', 'listen for other servers over TLS, too; 0 for any port')
    .option('--tls-cert <file>', 'the certificate for --federation-port (default: a self-signed one is made)')
    .option('--tls-key <file>', 'its private key')
    .option('--signing-key <file>', 'the key that the server signs with (default: one is made)')
    .option(
      '--federation-ca <file>',
      'trust other servers whose certificates these have signed, too, and reach them on this machine and its network',
    )
    .option(
      '--federation-insecure',
      'accept any certificate of other servers, and reach them on this machine and its network; for tests',
    )
    .option('--log <file>', 'write the event log to a file, too')
    .option('--env-file <file>', 'write MX2S_HOMESERVER, MX2S_ACCESS_TOKEN … to a file for the shell');
  command.addHelpText('after', HANDLER_HELP);
  addExamples(command, EXAMPLES);
}

/** @throws UsageError, InvalidInputError */
export function parseServeOptions({ args, passedOn, flags }: Typed): ServeOptions {
  if (args.length > passedOn.length) {
    throw new UsageError(`serve takes no argument, and '${args[0] ?? ''}' is one`, {
      hint: 'a command to run stands behind --: mx2s serve -- npm test',
    });
  }
  const serverName = parseName(flags);
  const dataFile = flags.text('data');
  if (dataFile !== undefined && serverName === undefined) {
    throw new UsageError('--data needs --server-name: what is remembered is of one server', {
      hint: 'give the server a name that it keeps, for example --server-name localhost:8448',
    });
  }
  return {
    host: flags.text('host') ?? '127.0.0.1',
    port: parsePort(flags.text('port') ?? '0', '--port'),
    serverName,
    users: flags.texts('user').map(parseUserName),
    allowRegistration: flags.given('allowRegistration'),
    ...parseHandlerOptions(flags),
    federation: parseFederation(flags),
    dataFile,
    logFile: flags.text('log'),
    envFile: flags.text('envFile'),
    command: passedOn,
  };
}

function parseFederation(flags: Flags): ServeFederationOptions {
  const port = flags.text('federationPort');
  const certificateFiles = parseCertificateFiles(flags);
  if (certificateFiles !== undefined && port === undefined) {
    throw new UsageError('--tls-cert is for --federation-port, which was not given', {
      hint: 'add --federation-port 8448',
    });
  }
  return {
    port: port === undefined ? undefined : parsePort(port, '--federation-port'),
    certificateFiles,
    signingKeyFile: flags.text('signingKey'),
    caCertFile: flags.text('federationCa'),
    insecure: flags.given('federationInsecure'),
  };
}

function parsePort(text: string, flag: string): number {
  const port = parseCount(text, flag);
  if (port > MAX_PORT) throw new InvalidInputError(`${flag}: there is no port ${port}`, { at: flag });
  return port;
}

function parseName(flags: Flags): ServerName | undefined {
  const text = flags.text('serverName');
  if (text === undefined) return undefined;
  const name = parseServerName(text);
  serverUserOf(name); // a server whose user ID would be too long cannot be addressed
  return name;
}

function parseUserName(text: string): string {
  const grade = gradeUserId(`@${text}:localhost`).grammars.strict;
  if (grade.valid && !text.includes(':')) return text;
  const reason = grade.valid ? 'E_LOCALPART_CHAR' : grade.code;
  throw new InvalidInputError(`--user: ${JSON.stringify(text)} is no user name: ${ID_REASONS[reason]}`, {
    at: '--user',
    reason,
    hint: 'give the part between @ and the colon: --user alice',
  });
}

const MAX_PORT = 65_535;
const HANDLER_HELP = `
Handlers get the message as one JSON line {"sender","type","content","device_id"?,"via"}:
  echo              answers with the same type and content
  drop              handles nothing, as if no glob had matched
  reply:JSON        answers with this content
  exec:COMMAND      runs it; exit 0 with {"type"?,"content"} on stdout is the answer, nothing is none
  http(s)://URL     POSTs it; 200 with the same JSON is the answer, 204 is none
  nats://HOST/SUBJ  sends it as a request; the same JSON is the answer, an empty reply is none
  validate:mls      looks at the envelope of MSC4244; a bad one is answered with a reason (ours, a draft)
  validate:report   looks at a report of MSC4468; no answer, a bad one fails (ours, a draft)
An answer is for the one who asked. {"messages":[{"to","device","type"?,"content"},…]} in its place is for those it
names: at most 1000 messages, sent by the server, none of them to a server user.
The first glob that matches wins. mx2s.ping is answered with mx2s.pong unless a glob takes it.`;
const EXAMPLES = [
  'mx2s serve --on "org.example.*=echo"',
  'mx2s serve --port 8008 --server-name example.org --env-file mx2s.env',
  'mx2s serve --federation-port 8448 --server-name localhost:8448 --data server.db --federation-insecure',
  'mx2s serve --on "*=exec:./handle.sh" -- npm test',
];
