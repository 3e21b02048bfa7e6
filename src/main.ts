/**
 * The composition root: builds the context, picks the subcommand, runs it, and turns whatever came of it
 * into an exit status. Invariant: the process ends by itself, when its output is written and its sockets are
 * closed; `process.exit` is for one case only, a reader that takes nothing after a signal.
 */
import { setMaxListeners } from 'node:events';
import { Command, CommanderError } from 'commander';
import { systemChance } from './chance.js';
import { systemClock } from './clock.js';
import { COMMANDS } from './commands/index.js';
import type { Context } from './commands/context.js';
import { readFlags, type CommandEntry } from './commands/define.js';
import { addGlobalFlags, parseGlobals, type Globals } from './commands/globals.js';
import type { SignalListeners } from './config/settings-file.js';
import {
  DiskError,
  InterruptedError,
  Mx2sError,
  ReaderGoneError,
  UsageError,
  type Signal,
} from './errors.js';
import { exitCodeOf, type ExitCode } from './exit-codes.js';
import type { HttpClient } from './http/client.js';
import { paletteFor, PLAIN_PALETTE } from './ui/palette.js';
import {
  openInput,
  openStreams,
  type Format,
  type Input,
  type Output,
  type ReadableLike,
  type StandardStreams,
  type Streams,
  type StreamSettings,
} from './ui/streams.js';
import { VERSION } from './version.js';

/** The part of Node's `process` that the program uses; a test hands in its own. */
export interface ProcessLike extends SignalListeners, StandardStreams {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly execPath: string;
  readonly stdin: ReadableLike & { destroy?(): unknown };
  on(signal: Signal, listener: (signal: Signal) => void): unknown;
  off(signal: Signal, listener: (signal: Signal) => void): unknown;
  exit(code: number): never;
}

/** What the launcher knows. */
export interface Launch {
  /** How to start this program: executable and first arguments. Default: by Node, with the file that was named to it. */
  readonly self?: readonly string[];
  /** That of the process; none where stdout is made of memory. */
  readonly stdoutDescriptor?: number;
}

/** Runs one command line, and resolves with the exit status when all output was written. */
export async function main(process: ProcessLike, launch: Launch = {}): Promise<ExitCode> {
  const argv = process.argv.slice(2);
  const open = (settings: StreamSettings): Streams =>
    openStreams(process, { ...settings, stdoutDescriptor: launch.stdoutDescriptor });
  const early = open(plainSettings(formatTyped(argv)));
  try {
    const chosen = await parseCommandLine(argv, COMMANDS);
    if ('help' in chosen) {
      if (chosen.exitCode === 0) await early.out.write(chosen.help);
      else early.talk.raw(chosen.help);
      return chosen.exitCode;
    }
    const self = launch.self ?? [process.execPath, process.argv[1] ?? ''];
    return await runChosen(process, self, open, chosen);
  } catch (error) {
    const told = toldError(error);
    if (!(told instanceof ReaderGoneError)) early.talk.error(told);
    return exitCodeOf(told);
  } finally {
    await early.talk.flush();
  }
}

interface ChosenCommand {
  readonly globals: Globals;
  readonly run: (context: Context) => Promise<ExitCode>;
}

interface HelpText {
  readonly help: string;
  readonly exitCode: 0 | 2;
}

/**
 * Finds the subcommand, imports it and parses its flags.
 * @throws UsageError, InvalidInputError
 */
export async function parseCommandLine(
  argv: readonly string[],
  entries: readonly CommandEntry[],
): Promise<ChosenCommand | HelpText> {
  let chosen: ChosenCommand | undefined;
  let named: string | undefined;
  let help = '';
  const root = new Command('mx2s')
    .description('Send Matrix to-device messages to a server, and hear it answer as itself (MSC4246).')
    .version(VERSION, '-V, --version')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => (help += text),
      writeErr: (text) => (help += text),
      outputError: () => undefined,
    })
    .exitOverride();
  addGlobalFlags(root);
  for (const { name, summary, hidden = false } of entries) {
    const command = root.command(name, { hidden }).summary(summary).description(capitalised(summary));
    command.allowExcessArguments(false).action(() => undefined);
  }
  root
    .command('help')
    .summary('help for a command, or for exit-codes')
    .argument('[topic]')
    .action((topic?: string) => showHelp(root, entries, topic));
  root.hook('preSubcommand', async (_root, command) => {
    named = command.name();
    const entry = entries.find(({ name }) => name === named);
    if (entry === undefined) return;
    const definition = await entry.load();
    definition.configure(command);
    command.action(() => {
      const globals = parseGlobals(command.optsWithGlobals());
      const flags = readFlags(command.opts());
      const typed = { args: command.args, passedOn: behindDashes(argv), flags, globals };
      chosen = { globals, run: definition.prepare(typed) };
    });
  });
  try {
    await root.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [unknown] = named === undefined ? root.args : [];
    if (error.code === 'commander.helpDisplayed' && unknown !== undefined && !unknown.startsWith('-')) {
      throw new UsageError(`unknown command '${unknown}'`, { hint: 'run mx2s --help' });
    }
    if (HELP_CODES.has(error.code)) return { help, exitCode: error.exitCode === 0 ? 0 : 2 };
    throw usageErrorOf(error, named);
  }
  if (chosen === undefined) throw new UsageError('no command was given', { hint: 'run mx2s --help' });
  return chosen;
}

/** What stands behind `--`, which is the command's own and no flag of ours. */
function behindDashes(argv: readonly string[]): readonly string[] {
  const at = argv.indexOf('--');
  return at === -1 ? [] : argv.slice(at + 1);
}

/**
 * Shows help by the throw that commander makes of it. Its own help command would not import the subcommand first.
 * @throws UsageError when there is no such topic
 */
async function showHelp(
  root: Command,
  entries: readonly CommandEntry[],
  topic: string | undefined,
): Promise<void> {
  if (topic === undefined) root.help();
  const entry = entries.find(({ name }) => name === topic);
  const command = root.commands.find((each) => each.name() === topic);
  if (entry === undefined || command === undefined) {
    throw new UsageError(`no help on '${topic}'`, { hint: 'run mx2s --help for the list of commands' });
  }
  (await entry.load()).configure(command);
  command.help();
}

async function runChosen(
  process: ProcessLike,
  selfCommand: readonly string[],
  open: (settings: StreamSettings) => Streams,
  chosen: ChosenCommand,
): Promise<ExitCode> {
  const { globals } = chosen;
  const streams = open(streamSettings(process, globals));
  const interrupt = new AbortController();
  setMaxListeners(0, interrupt.signal); // every request in flight listens to it
  const onSignal = (signal: Signal): void => {
    interrupt.abort(new InterruptedError(signal));
    // A second Ctrl-C ends the process the hard way. Not before this turn is over: libraries that restore the
    // terminal end the process themselves when they find that nobody else listens.
    setImmediate(() => process.off(signal, onSignal));
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  let http: Promise<HttpClient> | undefined;
  let stdin: Input | undefined;
  const context: Context = {
    globals,
    env: process.env,
    stdin: whenNeeded(() => (stdin ??= openInput(process.stdin, interrupt.signal))),
    ...streams,
    clock: systemClock,
    chance: systemChance,
    signal: interrupt.signal,
    http: () => (http ??= import('./commands/open-http.js').then(({ openHttp }) => openHttp(context))),
    pid: process.pid,
    signalListeners: process,
    selfCommand,
  };
  let exitCode: ExitCode;
  try {
    exitCode = await chosen.run(context);
  } catch (error) {
    const told = toldError(error);
    if (!(told instanceof ReaderGoneError)) streams.talk.error(told);
    exitCode = exitCodeOf(told);
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    await (await http?.catch(() => undefined))?.close();
    await streams.talk.flush();
    // a pipe that was read in part would keep the process alive
    if (stdin !== undefined) process.stdin.destroy?.();
  }
  if (interrupt.signal.aborted) await leaveBlockedReader(process, streams.out, exitCode);
  return exitCode;
}

/** To open stdin takes time, and few commands read it. */
function whenNeeded(open: () => Input): Input {
  return {
    get isTerminal() {
      return open().isTerminal;
    },
    get stream() {
      return open().stream;
    },
    sizeBytes: () => open().sizeBytes(),
    chunks: (use) => open().chunks(use),
    text: (what, maxBytes) => open().text(what, maxBytes),
  };
}

/**
 * Ends the process when it was told to stop and the reader of stdout takes nothing any more: what waits for that
 * reader would keep it alive. What was not taken was not counted as handed over.
 */
async function leaveBlockedReader(process: ProcessLike, out: Output, exitCode: ExitCode): Promise<void> {
  if (out.isWaiting) await systemClock.sleep(BLOCKED_GRACE_MS);
  if (out.isWaiting) process.exit(exitCode);
}

function streamSettings({ env }: ProcessLike, { format, quiet, verbose, color }: Globals): StreamSettings {
  return { format, quiet, verbose, palette: (isTerminal) => paletteFor(color, env, isTerminal) };
}

function plainSettings(format: Format | undefined): StreamSettings {
  return { format, quiet: false, verbose: false, palette: () => PLAIN_PALETTE };
}

/** `--json` and `--text` count wherever they stand, also when the rest of the line does not parse. */
function formatTyped(argv: readonly string[]): Format | undefined {
  const end = argv.indexOf('--');
  const flags = end === -1 ? argv : argv.slice(0, end);
  const last = flags.findLast((each) => each === '--json' || each === '--text');
  return last === undefined ? undefined : last === '--json' ? 'json' : 'text';
}

/** A limit of the system, which any call that opens something may meet, is no bug of ours. */
export function toldError(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (error instanceof Mx2sError || (code !== 'EMFILE' && code !== 'ENFILE')) return error;
  return new DiskError('too many files are open', { hint: 'raise the limit: ulimit -n 1024', cause: error });
}

/** @param command the subcommand that was named, if parsing got so far */
function usageErrorOf(error: CommanderError, command: string | undefined): UsageError {
  const [message = '', suggestion] = error.message
    .replace(/^error: /, '')
    // not what was given to it: it may be a secret, for a flag that was thought to exist
    .replace(/^(unknown option '[^=']*)=.*'(?=\n\(|$)/s, "$1'")
    .replace(/^(unknown option '[^=']*)=.*'/s, "$1'") // what follows may be a secret
    .replace(/\. Allowed choices are (.*)\.$/, ': it is not one of $1')
    .replace(/\. Expected (.*)\.$/, ': expected $1')
    .split('\n');
  const hint = suggestion
    ? suggestion.replace(/^\((.*)\)$/, '$1').toLowerCase()
    : `run mx2s ${command === undefined ? '' : `${command} `}--help`;
  return new UsageError(message, { hint });
}

function capitalised(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

const HELP_CODES: ReadonlySet<string> = new Set([
  'commander.help',
  'commander.helpDisplayed',
  'commander.version',
]);
const BLOCKED_GRACE_MS = 500;
