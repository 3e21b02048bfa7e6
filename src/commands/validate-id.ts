/** `mx2s validate-id`: grades user IDs, server names and device IDs, a few or a million. */
import { InvalidInputError, UsageError } from '../errors.js';
import { gradeDeviceId } from '../ids/device-id.js';
import { decodeLine, idBlocks, idLines, type IdLine } from '../ids/id-lines.js';
import { gradeServerName } from '../ids/server-name.js';
import { gradeUserId } from '../ids/user-id.js';
import { codeFor, ID_REASONS, refused, type Grammar, type IdVerdict } from '../ids/verdict.js';
import { chunksOf } from '../ui/file-input.js';
import { escapeText } from '../ui/escape.js';
import { renderIdCount, renderIdResult, type IdKind, type IdResult } from '../ui/render/validate-id.js';
import type { Output } from '../ui/streams.js';
import { addExamples, define, type Flags } from './define.js';
import { parseGrammar, parseKind } from './id-words.js';

export interface ValidateIdOptions {
  /** `-`: one a line on stdin. */
  readonly ids: readonly string[] | '-';
  readonly kind: IdKind;
  readonly grammar: Grammar;
  readonly mustBeServer: boolean;
  readonly print: 'all' | 'invalid' | 'count' | 'nothing';
}

export const validateId = define<ValidateIdOptions>({
  configure: (command) => {
    command
      .argument('[id...]', 'identifiers, or - for one a line on stdin')
      .option('--kind <user|server|device>', 'what they are', 'user')
      .option('--grammar <msc4246|strict|historical>', 'what decides whether one is valid', 'msc4246')
      .option('--server', 'accept only the user ID of a server, @:domain')
      .option('--count', 'print only how many there are, and how many are valid')
      .option('--invalid-only', 'print only those that are not valid');
    addExamples(command, EXAMPLES);
  },
  options: ({ args, flags, globals }) => {
    const kind = parseKind(flags.text('kind'));
    const mustBeServer = flags.given('server');
    if (mustBeServer && kind !== 'user') {
      throw new UsageError(`--server is for user IDs, not for --kind ${kind}`, {
        hint: 'leave one of them out',
      });
    }
    return {
      ids: parseSource(args),
      kind,
      grammar: parseGrammar(flags.text('grammar')),
      mustBeServer,
      print: globals.quiet ? 'nothing' : whatToPrint(flags),
    };
  },
  run: async ({ stdin, out }, options) => {
    const { total, invalid } =
      options.ids === '-'
        ? await validateLines(chunksOf(stdin, 'once'), options, out)
        : await validateTexts([options.ids], options, out);
    if (total === 0) {
      throw new InvalidInputError('identifiers were to come from stdin, which is empty', {
        reason: 'empty',
        hint: 'pipe something in, one identifier a line',
      });
    }
    if (options.print === 'count') {
      const count = { v: 1, total, valid: total - invalid, invalid } as const;
      await out.result(count, (palette) => renderIdCount(count, palette));
    }
    return invalid === 0 ? 0 : 1;
  },
});

/**
 * The identifiers named on the command line.
 * @throws UsageError when there are none, or `-` among others
 */
function parseSource(args: readonly string[]): readonly string[] | '-' {
  if (args.length === 0) {
    throw new UsageError('no identifier was given', { hint: 'name one, or - to read one a line from stdin' });
  }
  if (!args.includes('-')) return args;
  if (args.length > 1) {
    throw new UsageError("'-' reads from stdin and stands alone", { hint: 'put all identifiers on stdin' });
  }
  return '-';
}

/** `--count` says everything that `--invalid-only` could leave out. */
function whatToPrint(flags: Flags): ValidateIdOptions['print'] {
  if (flags.given('count')) return 'count';
  return flags.given('invalidOnly') ? 'invalid' : 'all';
}

interface Tally {
  readonly total: number;
  readonly invalid: number;
}

/** Identifiers on stdin: there may be millions. */
async function validateLines(
  chunks: AsyncIterable<Uint8Array>,
  options: ValidateIdOptions,
  out: Output,
): Promise<Tally> {
  if (options.kind !== 'user') return await validateTexts(idLines(chunks), options, out);
  const { validateUserIds } = await import('./validate-user-ids.js');
  const ids = {
    blocks: idBlocks(chunks),
    examine: (line: Uint8Array) => examine(decodeLine(line), options),
    isShown: (result: IdResult) => isShown(result, options),
    render: (result: IdResult) => lineFor(result, out),
    isPlainJson: out.format === 'json' && !out.isTerminal,
  };
  return await validateUserIds(ids, out);
}

async function validateTexts(
  batches: AsyncIterable<readonly IdLine[]> | Iterable<readonly IdLine[]>,
  options: ValidateIdOptions,
  out: Output,
): Promise<Tally> {
  let total = 0;
  let invalid = 0;
  for await (const batch of batches) {
    const lines: string[] = [];
    for (const line of batch) {
      const result = examine(line, options);
      if (!result.valid) invalid += 1;
      if (isShown(result, options)) lines.push(lineFor(result, out));
    }
    total += batch.length;
    if (lines.length > 0) await out.write(lines.join('')); // one large write, awaited: the reader sets the pace
  }
  return { total, invalid };
}

function isShown({ valid }: IdResult, { print }: ValidateIdOptions): boolean {
  return print === 'all' || (print === 'invalid' && !valid);
}

function examine(line: IdLine, { kind, grammar, mustBeServer }: ValidateIdOptions): IdResult {
  const isText = typeof line === 'string';
  const verdict = isText ? GRADERS[kind](line) : refused('E_UTF8');
  const code = codeFor(verdict, grammar, mustBeServer);
  return {
    v: 1,
    id: isText ? line : line.shown,
    kind,
    valid: code === undefined,
    is_server: verdict.isServer,
    localpart: verdict.localpart ?? null,
    server_name: verdict.serverName ?? null,
    ...(code === undefined ? {} : { code, reason: ID_REASONS[code] }),
    warnings: verdict.warnings,
    grammars: verdict.grammars,
  };
}

function lineFor(result: IdResult, out: Output): string {
  if (out.format === 'text') return `${renderIdResult(result, out.palette, out.width)}\n`;
  const json = JSON.stringify(result);
  return `${out.isTerminal ? escapeText(json) : json}\n`;
}

const GRADERS: Readonly<Record<IdKind, (text: string) => IdVerdict>> = {
  user: gradeUserId,
  server: gradeServerName,
  device: gradeDeviceId,
};
const EXAMPLES = [
  'mx2s validate-id @:example.org @alice:example.org',
  'mx2s validate-id --grammar strict --invalid-only - < ids.txt',
  "mx2s validate-id --kind device ''",
];
