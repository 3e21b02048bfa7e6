import { valueFlagNames, type CommandLine, type Flag, type Value } from './command-line.js';

/** A completion script for `mx2s completion fish | source`. */
export function renderFishCompletion({ program, flags, commands }: CommandLine): string {
  const complete = `complete -c ${program}`;
  const rules = [
    `${complete} -f`,
    ...flags.map((flag) => `${complete}${flagRule(flag)}`),
    ...commands.map(
      ({ name, summary }) => `${complete} -n '__${program}_in ""' -a ${name}${describe(summary)}`,
    ),
    ...commands.flatMap(({ name, flags: own, argument }) => {
      const within = `${complete} -n '__${program}_in ${name}'`;
      return [
        ...own.map((flag) => `${within}${flagRule(flag)}`),
        ...argumentRule(argument).map((rule) => within + rule),
      ];
    }),
  ];

  return `# fish completion for ${program}: ${program} completion fish | source
function __${program}_in -d 'Is this the subcommand so far?'
    set -l command ''
    set -l skip no
    for word in (commandline -opc)[2..-1]
        if test $skip = yes
            set skip no
            continue
        end
        switch $word
            case ${valueFlagNames(flags).join(' ')}
                set skip yes
            case '-*'
            case '*'
                set command $word
                break
        end
    end
    test "$command" = "$argv[1]"
end
${rules.join('\n')}
`;
}

function flagRule({ names, summary, value }: Flag): string {
  const spelled = names.map((name) =>
    name.startsWith('--') ? ` -l ${name.slice(2)}` : ` -s ${name.slice(1)}`,
  );
  return `${spelled.join('')}${VALUE_RULES[value.kind]}${choices(value)}${describe(summary)}`;
}

function argumentRule(value: Value): string[] {
  if (value.kind === 'words') return [choices(value)];
  return value.kind === 'file' ? [' -F'] : [];
}

function choices(value: Value): string {
  return value.kind === 'words' ? ` -a '${value.words.join(' ')}'` : '';
}

function describe(summary: string): string {
  return ` -d '${summary.replace(/['\\]/g, '\\$&')}'`;
}

/** `-x`: a value that is no file; `-rF`: one that is. */
const VALUE_RULES: Readonly<Record<Value['kind'], string>> = {
  none: '',
  words: ' -x',
  file: ' -rF',
  unknown: ' -x',
};
