import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/index.js';
import { runCli } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

/** The words typed; the last one is being completed. What it can become, in any order. */
const COMPLETIONS: [words: string[], completions: string[]][] = [
  [['se'], ['send', 'serve']],
  [
    ['--color', ''],
    ['always', 'auto', 'never'],
  ],
  [['--color', 'al'], ['always']],
  [
    ['send', '--d'],
    ['--data', '--device', '--dry-run'],
  ],
  [['send', '--rawest'], []],
  [['-p', 'work', 'vali'], ['validate-id']],
  [['-p', 'send', 'compl'], ['completion']],
  [['--json', 'whoa'], ['whoami']],
  [['send', '--acc'], ['--access-token-file']],
  [
    ['completion', ''],
    ['bash', 'fish', 'zsh'],
  ],
  [['schema', 'vali'], ['validate-id']],
  [
    ['validate-id', '--kind', ''],
    ['device', 'server', 'user'],
  ],
  [['send', '--type', ''], []],
  [['help', 'exit'], ['exit-codes']],
  [['--cacert', '@FOLDER@/some'], ['@FOLDER@/some file.pem']],
];

let folder: TempDir;
beforeAll(async () => {
  folder = await makeTempDir();
  await writeFile(join(folder.path, 'some file.pem'), '');
});
afterAll(() => folder.remove());

describe('bash', () => {
  it.each(COMPLETIONS)('completes %j to %j', async (words, completions) => {
    const script = `source "$1"; shift; COMP_WORDS=(mx2s "$@"); COMP_CWORD=$#; _mx2s; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync(
      'bash',
      ['--norc', '-c', script, 'bash', await scriptFile('bash'), ...typed(words)],
      {
        encoding: 'utf8',
      },
    );
    expect(sortedLines(output)).toEqual(typed(completions));
  });

  it.each([
    [
      ['--color', '='],
      ['always', 'auto', 'never'],
    ],
    [['--color', '=', 'n'], ['never']],
    [
      ['--color', '=', 'never', 'se'],
      ['send', 'serve'],
    ],
  ])('completes %j, which is one word to the user', async (words, completions) => {
    const script = `source "$1"; shift; COMP_WORDS=(mx2s "$@"); COMP_CWORD=$#; _mx2s; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const output = execFileSync(
      'bash',
      ['--norc', '-c', script, 'bash', await scriptFile('bash'), ...words],
      {
        encoding: 'utf8',
      },
    );
    expect(sortedLines(output)).toEqual(completions);
  });

  it('is told by the script what to complete', async () => {
    const output = execFileSync(
      'bash',
      ['--norc', '-c', 'source "$1"; complete -p mx2s', 'bash', await scriptFile('bash')],
      {
        encoding: 'utf8',
      },
    );
    expect(output).toBe('complete -F _mx2s mx2s\n');
  });
});

describe.skipIf(isMissing('fish'))('fish', () => {
  it.each(COMPLETIONS)('completes %j to %j', async (words, completions) => {
    const line = ['mx2s', ...typed(words)].join(' ');
    const output = execFileSync(
      'fish',
      ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', await scriptFile('fish'), line],
      {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: folder.path },
      },
    );
    const found = sortedLines(output).map((each) => each.split('\t')[0]?.replaceAll('\\ ', ' '));
    expect(found).toEqual(typed(completions));
  });
});

describe.skipIf(isMissing('zsh'))('zsh', () => {
  let offered: string[][];
  beforeAll(async () => {
    const driver = join(folder.path, 'driver.zsh');
    await writeFile(driver, ZSH_DRIVER);
    const lines = COMPLETIONS.map(([words]) => ['mx2s', ...typed(words)].join(' '));
    const output = execFileSync('zsh', ['-f', driver, await scriptFile('zsh'), ...lines], {
      encoding: 'utf8',
    });
    offered = output
      .split('<next>')
      .map((part) => [...part.matchAll(/<hit>(.*?)<\/hit>/g)].map(([, hit = '']) => hit));
  });

  it.each(COMPLETIONS.map(([words, completions], index) => [words, completions, index] as const))(
    'completes %j to %j',
    (_words, completions, index) => {
      const found = offered[index]?.map((hit) => hit.replaceAll('\\ ', ' '));
      // a file is found below its folder
      expect([...new Set(found)].sort()).toEqual(typed(completions).map((each) => each.split('/').at(-1)));
    },
  );
});

describe('mx2s completion', () => {
  it.each(['bash', 'zsh', 'fish'])('%s: knows every subcommand and every flag of the help', async (shell) => {
    const { stdout } = await runCli(['completion', shell]);
    for (const { name, hidden } of COMMANDS) {
      if (hidden === true) continue;
      expect(stdout).toContain(name);
      const help = (await runCli([name, '--help'])).stdout;
      for (const [, flag] of help.matchAll(/^ {2}(?:-\w, )?--([\w-]+)/gm)) expect(stdout).toContain(flag);
    }
  });

  it.each([[[]], [['powershell']]])('refuses %j', async (argv) => {
    const { code, stdout } = await runCli(['completion', ...argv]);
    expect([code, stdout]).toEqual([2, '']);
  });

  it('prints its own form, whatever the format', async () => {
    const plain = await runCli(['completion', 'bash']);
    expect((await runCli(['completion', 'bash', '--json'])).stdout).toBe(plain.stdout);
    expect(plain.stdout).toMatch(/^# bash completion for mx2s/);
  });
});

async function scriptFile(shell: string): Promise<string> {
  const path = join(folder.path, `completion.${shell}`);
  await writeFile(path, (await runCli(['completion', shell])).stdout);
  return path;
}

function typed(words: readonly string[]): string[] {
  return words.map((word) => word.replace('@FOLDER@', folder.path));
}

function sortedLines(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

/** Says so, too: a shell that is missing must not look like one that works. */
function isMissing(shell: string): boolean {
  const missing = spawnSync(shell, ['--version']).error !== undefined;
  if (missing) process.stderr.write(`\n${shell} is not installed: its completion is NOT TESTED\n\n`);
  return missing;
}

/** Types each line and a tab into an interactive zsh, and writes down what would be offered. */
const ZSH_DRIVER = String.raw`
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT=; stty -echo; autoload -Uz compinit; compinit -u -D; source ${'${(q)1}'}; setopt no_beep"
shift
zpty -w shell 'compadd() {
  if [[ ${'${@[1,(i)(-|--)]}'} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits
  local hit
  builtin compadd -A hits "$@"
  for hit in $hits; do print -r -- "<hit>$hit</hit>"; done
  builtin compadd "$@"
}'
zpty -w shell 'next() { BUFFER=; print "<ne""xt>" }; zle -N next; bindkey "^I" complete-word; bindkey "^X" next; print RE""ADY'
zpty -r -m shell output '*READY*'
for line; do
  zpty -w -n shell "$line"$'\t\x18'
  zpty -r -m shell output '*<next>*'
  print -r -- "$output"
done
`;
