import {
  flagNames,
  indented,
  valueFlagNames,
  type CommandLine,
  type Flag,
  type Value,
} from './command-line.js';

/** A completion script for `source <(mx2s completion bash)`. Needs nothing but bash, also the old one of macOS. */
export function renderBashCompletion({ program, flags, commands }: CommandLine): string {
  const values = [
    ...valueCases('*', flags),
    ...commands.flatMap(({ name, flags: own }) => valueCases(name, own)),
  ];
  const ownFlags = commands
    .filter(({ flags: own }) => own.length > 0)
    .map(({ name, flags: own }) => `${name}) words+=' ${flagNames(own).join(' ')}' ;;`);
  const ownArguments = commands
    .filter(({ argument }) => argument.kind === 'words' || argument.kind === 'file')
    .map(({ name, argument }) => `${name}) ${reply(argument)} ;;`);

  return `# bash completion for ${program}: source <(${program} completion bash)
_${program}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' words='' i
  # bash takes --flag=value apart
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      ${valueFlagNames(flags).join('|')}) if [[ \${COMP_WORDS[++i]} == = ]]; then ((i++)); fi ;;
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  COMPREPLY=()
  case "$command $prev" in
${indented(4, values)}  esac
  if [[ $cur == -* ]]; then
    words=${wordList(flagNames(flags))}
    case $command in
${indented(6, ownFlags)}    esac
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
    return
  fi
  case $command in
    '') COMPREPLY=($(compgen -W ${wordList(commands.map(({ name }) => name))} -- "$cur")) ;;
${indented(4, ownArguments)}  esac
}
complete -F _${program} ${program}
`;
}

/** What comes after a flag, wherever behind it the cursor is: patterns over "subcommand flag". */
function valueCases(command: string, flags: readonly Flag[]): string[] {
  const patterns = new Map<string, string[]>();
  for (const { names, value } of flags) {
    if (value.kind === 'none') continue;
    const answer = value.kind === 'unknown' ? 'return' : `${reply(value)}; return`;
    const pattern = names.map((name) => (command === '*' ? `*' ${name}'` : `'${command} ${name}'`));
    patterns.set(answer, [...(patterns.get(answer) ?? []), ...pattern]);
  }
  return [...patterns].map(([answer, each]) => `${each.join(' | ')}) ${answer} ;;`);
}

function reply(value: Value): string {
  return value.kind === 'words'
    ? `COMPREPLY=($(compgen -W ${wordList(value.words)} -- "$cur"))`
    : `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur"))`;
}

/** None of our words has a space or a quote. */
function wordList(words: readonly string[]): string {
  return `'${words.join(' ')}'`;
}
