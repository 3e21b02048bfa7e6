/** The flags that every command knows, before or after its name. */
import type { Command } from 'commander';
import { parseDurationMs } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import type { ColorChoice } from '../ui/palette.js';
import type { Format } from '../ui/streams.js';

export interface Globals {
  readonly profile: string | undefined;
  /** As typed; parsed where credentials are decided. */
  readonly homeserver: string | undefined;
  readonly accessTokenFile: string | undefined;
  /** undefined: text on a terminal, JSON elsewhere. */
  readonly format: Format | undefined;
  readonly color: ColorChoice;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly trace: boolean;
  readonly traceFile: string | undefined;
  readonly retries: number;
  readonly maxWaitMs: number;
  readonly caCertFile: string | undefined;
  readonly insecure: boolean;
  readonly proxy: string | undefined;
}

/** Adds the global flags to the root command. */
export function addGlobalFlags(root: Command): void {
  root
    .option('-p, --profile <name>', 'the stored profile to use')
    .option('--homeserver <url>', 'the homeserver, with --access-token-file')
    .option('--access-token-file <file>', 'read the access token from a file, or - for stdin')
    .option('--json', 'one JSON object per line (the default when stdout is no terminal)')
    .option('--text', 'text for people (the default on a terminal)')
    .option('--color <auto|always|never>', 'colour', 'auto')
    .option('-q, --quiet', 'no notices and warnings')
    .option('-v, --verbose', 'more notices; the stack of a bug')
    .option('--trace', 'wire log on stderr, secrets struck out')
    .option('--trace-file <file>', 'wire log into a file, secrets struck out')
    .option('--retries <n>', 'retries after a failure', '5')
    .option('--max-wait <duration>', 'the longest total wait for rate limits of one request', '60s')
    .option('--cacert <file>', 'trust the certificates in this PEM file, too')
    .option('--insecure', 'accept any TLS certificate')
    .option('--proxy <url>', 'HTTP proxy (default: HTTPS_PROXY, NO_PROXY)');
}

/**
 * Reads the global flags as commander left them.
 * @throws UsageError, InvalidInputError
 */
export function parseGlobals(flags: Readonly<Record<string, unknown>>): Globals {
  const text = (name: string): string | undefined => {
    const value = flags[name];
    return typeof value === 'string' ? value : undefined;
  };
  const color = text('color') ?? 'auto';
  if (!isColorChoice(color)) {
    throw new UsageError(`--color: '${color}' is not one of auto, always, never`);
  }
  if (flags['json'] === true && flags['text'] === true) {
    throw new UsageError('--json and --text exclude each other', { hint: 'give one of them' });
  }
  return {
    profile: text('profile'),
    homeserver: text('homeserver'),
    accessTokenFile: text('accessTokenFile'),
    format: flags['json'] === true ? 'json' : flags['text'] === true ? 'text' : undefined,
    color,
    quiet: flags['quiet'] === true,
    verbose: flags['verbose'] === true,
    trace: flags['trace'] === true,
    traceFile: text('traceFile'),
    retries: parseCount(text('retries') ?? '5', '--retries'),
    maxWaitMs: parseDurationMs(text('maxWait') ?? '60s', '--max-wait'),
    caCertFile: text('cacert'),
    insecure: flags['insecure'] === true,
    proxy: text('proxy'),
  };
}

/**
 * A whole number from a flag, at least `minimum`.
 * @throws InvalidInputError
 */
export function parseCount(text: string, flag: string, minimum = 0): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(count) || count < minimum) {
    throw new InvalidInputError(`${flag}: '${text}' is no whole number of at least ${minimum}`, { at: flag });
  }
  return count;
}

function isColorChoice(text: string): text is ColorChoice {
  return text === 'auto' || text === 'always' || text === 'never';
}
