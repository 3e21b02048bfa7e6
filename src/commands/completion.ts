/** `mx2s completion`: lets a shell complete the command line, with a script made of the command line itself. */
import type { Argument, Command, Option } from 'commander';
import { renderBashCompletion } from '../ui/render/bash-completion.js';
import type { CommandLine, Flag, Subcommand, Value } from '../ui/render/command-line.js';
import { renderFishCompletion } from '../ui/render/fish-completion.js';
import { renderZshCompletion } from '../ui/render/zsh-completion.js';
import { addExamples, define, type CommandDefinition, type CommandEntry } from './define.js';

/** The command for the subcommands `entries`. (The list hands itself over: it cannot be imported from here.) */
export function completionOf(entries: readonly CommandEntry[]): CommandDefinition {
  let root: Command | null = null;
  return define<Shell>({
    configure: (command) => {
      root = command.parent;
      command.addArgument(command.createArgument('<shell>', 'the shell').choices(SHELLS));
      addExamples(command, [
        'source <(mx2s completion bash)      # in ~/.bashrc',
        'source <(mx2s completion zsh)       # in ~/.zshrc, after compinit',
        'mx2s completion fish | source       # in ~/.config/fish/config.fish',
      ]);
    },
    options: ({ args: [name] }) => SHELLS.find((shell) => shell === name) ?? 'bash',
    run: async ({ out }, shell) => {
      if (root !== null) await out.write(RENDERERS[shell](await describeCommandLine(root, entries)));
      return 0;
    },
  });
}

/** Asks commander what it knows: every visible subcommand, its flags and its arguments. */
export async function describeCommandLine(
  root: Command,
  entries: readonly CommandEntry[],
): Promise<CommandLine> {
  const subcommands = root.createHelp().visibleCommands(root);
  return {
    program: root.name(),
    flags: flagsOf(root),
    commands: await Promise.all(subcommands.map((command) => describeSubcommand(command, entries))),
  };
}

async function describeSubcommand(command: Command, entries: readonly CommandEntry[]): Promise<Subcommand> {
  const [name, summary] = [command.name(), command.summary() || command.description()];
  const entry = entries.find((each) => each.name === name);
  if (entry === undefined) {
    // help, whose topics are the commands
    return { name, summary, flags: [], argument: { kind: 'words', words: entries.map((each) => each.name) } };
  }
  const configured = command.createCommand(name).helpOption(false); // --help is one of the root's
  (await entry.load()).configure(configured);
  const [argument] = configured.registeredArguments;
  return {
    name,
    summary,
    flags: flagsOf(configured),
    argument: argument === undefined ? { kind: 'none' } : valueOf(argument, argument.name()),
  };
}

function flagsOf(command: Command): Flag[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => ({
      names: [option.short, option.long].filter((name) => name !== undefined),
      summary: option.description,
      value:
        option.required || option.optional
          ? valueOf(option, /[<[]([^\]>]*)[\]>]$/.exec(option.flags)?.[1] ?? '')
          : { kind: 'none' },
    }));
}

/** Choices are known to commander, or stand in the placeholder: `<v3|sliding>`. Files are called so. */
function valueOf({ argChoices }: Option | Argument, placeholder: string): Value {
  if (argChoices !== undefined) return { kind: 'words', words: argChoices };
  if (placeholder.includes('|')) return { kind: 'words', words: placeholder.split('|') };
  return /^(?:file|path)$/.test(placeholder) ? { kind: 'file' } : { kind: 'unknown' };
}

type Shell = 'bash' | 'zsh' | 'fish';

const RENDERERS: Readonly<Record<Shell, (line: CommandLine) => string>> = {
  bash: renderBashCompletion,
  zsh: renderZshCompletion,
  fish: renderFishCompletion,
};
const SHELLS = Object.keys(RENDERERS) as Shell[];
