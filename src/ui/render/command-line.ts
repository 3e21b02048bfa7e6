/** A command line described as far as a shell can complete it: what the completion scripts are made of. */

export interface CommandLine {
  readonly program: string;
  /** Flags that every subcommand knows, before or after its name. */
  readonly flags: readonly Flag[];
  readonly commands: readonly Subcommand[];
}

export interface Subcommand {
  readonly name: string;
  readonly summary: string;
  /** Its own ones. */
  readonly flags: readonly Flag[];
  /** What its arguments are. */
  readonly argument: Value;
}

export interface Flag {
  /** With their dashes: `-t`, `--type`. */
  readonly names: readonly string[];
  readonly summary: string;
  readonly value: Value;
}

/** What can stand in a place: nothing, one of some words, the name of a file, or what no shell can know. */
export type Value =
  | { readonly kind: 'none' }
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'file' }
  | { readonly kind: 'unknown' };

/** The names of flags that take a value. */
export function valueFlagNames(flags: readonly Flag[]): string[] {
  return flagNames(flags.filter(({ value }) => value.kind !== 'none'));
}

/** All the names of flags. */
export function flagNames(flags: readonly Flag[]): string[] {
  return flags.flatMap(({ names }) => names);
}

/** Lines of a script at a depth; empty ones are left out. */
export function indented(depth: number, lines: readonly string[]): string {
  return lines
    .filter((line) => line !== '')
    .map((line) => `${' '.repeat(depth)}${line}\n`)
    .join('');
}
