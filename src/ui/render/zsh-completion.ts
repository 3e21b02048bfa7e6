import { indented, type CommandLine, type Flag, type Value } from './command-line.js';
import { quoteForShell } from './shell.js';

/** A completion script for `source <(mx2s completion zsh)`, or for a file `_mx2s` on `$fpath`. */
export function renderZshCompletion({ program, flags, commands }: CommandLine): string {
  const described = commands.map(({ name, summary }) =>
    quoteForShell(`${name}:${summary.replaceAll(':', '\\:')}`),
  );
  const own = commands.map(({ name, flags: ownFlags, argument }) => {
    const specs = [...ownFlags.flatMap(flagSpecs), ...argumentSpec(argument)];
    return `${name}) _arguments $flags ${specs.join(' ')} && found=0 ;;`;
  });

  return `#compdef ${program}
# zsh completion for ${program}: source <(${program} completion zsh)
_${program}() {
  local context state state_descr line found=1
  typeset -A opt_args
  local -a commands flags
  commands=(
${indented(4, described)}  )
  flags=(
${indented(4, flags.flatMap(flagSpecs))}  )
  _arguments -C $flags '1: :->command' '*:: :->argument' && found=0
  case $state in
    command) _describe -t commands command commands && found=0 ;;
    argument)
      case $words[1] in
${indented(8, own)}      esac ;;
  esac
  return found
}
if [[ $funcstack[1] == _${program} ]]; then _${program} "$@"; else compdef _${program} ${program}; fi
`;
}

/** The specs of \`_arguments\`: `*` because a flag may be repeated, `+` and `=` because its value may be joined to it. */
function flagSpecs({ names, summary, value }: Flag): string[] {
  const text = summary.replace(/[[\]]/g, '\\$&');
  return names.map((name) => {
    if (value.kind === 'none') return quoteForShell(`*${name}[${text}]`);
    const joint = name.startsWith('--') ? '=' : '+';
    return quoteForShell(`*${name}${joint}[${text}]:value:${action(value)}`);
  });
}

function argumentSpec(value: Value): string[] {
  return value.kind === 'none' ? [] : [quoteForShell(`*: :${action(value)}`)];
}

function action(value: Value): string {
  if (value.kind === 'words') return `(${value.words.join(' ')})`;
  return value.kind === 'file' ? '_files' : ' ';
}
