/**
 * What a subcommand is: two functions. `options` turns arguments and flags into a value and is pure; `run`
 * works on that value. commander's part ends before `run` begins, so that nothing in it can end the process.
 */
import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes.js';
import type { Context } from './context.js';
import type { Globals } from './globals.js';

export interface CommandSpec<Options> {
  /** Declares arguments, flags and examples. */
  configure(command: Command): void;
  /**
   * Turns what was typed into options. Pure: reads no file, opens nothing.
   * @throws UsageError, InvalidInputError
   */
  options(typed: Typed): Options;
  /** Does the work. A result other than 0 is returned; a failure is thrown. */
  run(context: Context, options: Options): Promise<ExitCode | undefined>;
}

/** What the user typed for one subcommand. */
export interface Typed {
  /** Positional arguments, in order; an optional one that was left out is not there. */
  readonly args: readonly string[];
  /** Those of `args` that stand behind `--`. */
  readonly passedOn: readonly string[];
  /** Flags by their long name in camel case, as commander parsed them; global flags are in `globals`. */
  readonly flags: Flags;
  readonly globals: Globals;
}

/** Reads flags by kind, so that commands need no casts. */
export interface Flags {
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
  given(name: string): boolean;
}

/** A subcommand with its options type closed over. */
export interface CommandDefinition {
  configure(command: Command): void;
  /** Parses at once; the returned function runs. */
  prepare(typed: Typed): (context: Context) => Promise<ExitCode>;
}

/** One line of the list of subcommands. The file is imported when the subcommand is used. */
export interface CommandEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  readonly load: () => Promise<CommandDefinition>;
}

/** Closes a spec over its options type. */
export function define<Options>(spec: CommandSpec<Options>): CommandDefinition {
  return {
    configure: (command) => {
      spec.configure(command);
    },
    prepare: (typed) => {
      const options = spec.options(typed);
      return async (context) => (await spec.run(context, options)) ?? 0;
    },
  };
}

/** Adds the examples to a command's help. */
export function addExamples(command: Command, examples: readonly string[]): void {
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}`).join('\n')}`);
}

/** For a flag that may be repeated: `command.option('--on <x>', '…', collect)`; read it with `flags.texts`. */
export function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value];
}

/** Wraps commander's bag of values. */
export function readFlags(values: Readonly<Record<string, unknown>>): Flags {
  return {
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
    },
    given: (name) => values[name] !== undefined && values[name] !== false,
  };
}
