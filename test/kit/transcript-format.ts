/** The text of a transcript: its steps, and what its expected output means. `test/scripts/README.md` is the format. */

export type Step = DirectiveStep | CommandStep;

export interface DirectiveStep {
  readonly kind: 'directive';
  /** Where it stands in the file, from 1. */
  readonly line: number;
  readonly words: readonly string[];
}

export interface CommandStep {
  readonly kind: 'command';
  readonly line: number;
  /** For the shell; of several lines if it went on with `> `. */
  readonly command: string;
  readonly stdout: readonly string[];
  /** `merged`: stderr is expected among the lines of `stdout`, as on a terminal. */
  readonly stderr: readonly string[] | 'merged';
  /** undefined: any (a terminal does not show it). */
  readonly exitCode: number | undefined;
}

/** Reads a script of `test/scripts`. */
export function parseScript(text: string): Step[] {
  return parseLines(text.split('\n'), 1, false);
}

/**
 * Reads the `console` blocks of a Markdown page, and the directives between them, which stand in comments
 * so that readers do not see them: `<!-- @serve -->`.
 */
export function parseConsoleBlocks(markdown: string): Step[] {
  const lines = markdown.split('\n');
  const steps: Step[] = [];
  let blockStart: number | undefined;
  for (const [index, line] of lines.entries()) {
    const directive = /^<!-- (@.*) -->$/.exec(line)?.[1];
    if (blockStart === undefined && directive !== undefined) {
      steps.push({ kind: 'directive', line: index + 1, words: wordsOf(directive) });
    } else if (line === '```console') {
      blockStart = index + 1;
    } else if (line === '```' && blockStart !== undefined) {
      steps.push(...parseLines(lines.slice(blockStart, index), blockStart + 1, true));
      blockStart = undefined;
    }
  }
  if (blockStart !== undefined) throw new Error(`line ${String(blockStart)}: the console block has no end`);
  return steps;
}

function parseLines(lines: readonly string[], firstLine: number, merged: boolean): Step[] {
  const steps: Step[] = [];
  let open:
    { line: number; command: string; stdout: string[]; stderr: string[]; exitCode: number } | undefined;
  const close = () => {
    if (open === undefined) return;
    while (open.stdout.at(-1) === '') open.stdout.pop();
    steps.push({
      kind: 'command',
      ...open,
      ...(merged ? { stderr: 'merged', exitCode: undefined } : {}),
    });
    open = undefined;
  };
  for (const [index, text] of lines.entries()) {
    const line = firstLine + index;
    const startsParagraph = index === 0 || lines[index - 1] === '' || open === undefined;
    if (text.startsWith('$ ')) {
      close();
      open = { line, command: text.slice(2), stdout: [], stderr: [], exitCode: 0 };
    } else if (!merged && startsParagraph && text.startsWith('@')) {
      close();
      steps.push({ kind: 'directive', line, words: wordsOf(text) });
    } else if (!merged && startsParagraph && text.startsWith('#')) {
      close();
    } else if (open === undefined) {
      if (text !== '') throw new Error(`line ${String(line)}: output without a command: ${text}`);
    } else if (text.startsWith('> ') && open.stdout.length === 0) {
      open.command += `\n${text.slice(2)}`;
    } else if (!merged && /^!( |$)/.test(text)) {
      open.stderr.push(text.slice(2));
    } else if (!merged && /^\? \d+$/.test(text)) {
      open.exitCode = Number(text.slice(2));
    } else {
      open.stdout.push(text);
    }
  }
  close();
  return steps;
}

function wordsOf(directive: string): string[] {
  return [...directive.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

/** Values by name: what `<name>` stands for in expected output, and `$name` in commands. */
export type Values = ReadonlyMap<string, string>;

/**
 * Holds output against what is expected.
 *
 * A line that is only `…` stands for any number of lines, `…` within a line for any text, `<name>` for the value
 * of that name, or, if it has none yet, for text without white space and quotes, which becomes its value.
 *
 * @returns the values found; undefined if the output differs
 */
export function matchOutput(
  expected: readonly string[],
  actual: string,
  known: Values,
): Map<string, string> | undefined {
  const seen = new Set<string>();
  const pattern = expected.map((line) => (line === '…' ? ANY_LINES : linePattern(line, known, seen) + '\n'));
  const match = new RegExp(`^${pattern.join('')}$`).exec(actual);
  return match ? new Map(Object.entries(match.groups ?? {})) : undefined;
}

function linePattern(line: string, known: Values, seen: Set<string>): string {
  return line
    .split(/(…|<[a-z][a-z0-9_]*>)/)
    .map((part, index) => {
      if (index % 2 === 0) return escapePattern(part);
      if (part === '…') return '.*?';
      const name = part.slice(1, -1);
      const value = known.get(name);
      if (value !== undefined) return escapePattern(value);
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return `(?<${name}>[^\\s"]+)`;
    })
    .join('');
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

const ANY_LINES = '(?:.*\\n)*?';
