/** The executable holds a JavaScript engine that likes to be configured. It is to be configured as mx2s is, and no other way. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { NODE_PROGRAM, runBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';

const NOT_LOGGED_IN = {
  stdout: '',
  stderr: expect.stringContaining('"code":"not_logged_in"') as string,
  code: 4,
};

const ARGUMENTS = [
  ['--env-file', '.env', 'whoami'],
  ['--env-file=.env', 'whoami'],
  ['--version'],
  ['-v'],
  ['--revision'],
  ['-e', 'console.log(1)'],
  ['--eval', 'console.log(1)'],
  ['-p', '1'],
  ['--print=1'],
  ['-r', './code.js'],
  ['--preload', './code.js', 'whoami'],
  ['--preload=./code.js', 'whoami'],
  ['--config=bunfig.toml', 'whoami'],
  ['--inspect', 'whoami'],
  ['--inspect-brk=127.0.0.1:0', 'whoami'],
  ['--cwd', '/', 'whoami'],
  ['--smol', 'whoami'],
  ['run', './code.js'],
  ['./code.js'],
  ['code.js'],
  ['install'],
  ['repl'],
  ['-'],
  ['validate-id', '--env-file', '.env'],
  ['validate-id', '-e', 'x'],
  ['validate-id', '--', '--version'],
  ['help', 'run'],
  [],
];

let home: string;
let folder: string;
beforeEach(async () => {
  const dir = await makeTempDir();
  onTestFinished(dir.remove);
  home = dir.path;
  folder = join(home, 'folder');
  await mkdir(folder);
  await writeFile(join(folder, 'code.js'), 'console.log("code that ran")');
});

describe('the folder it is started in', () => {
  it('gives it no environment', async () => {
    const variables = 'MX2S_HOMESERVER=http://127.0.0.1:9\nMX2S_ACCESS_TOKEN=a\n';
    for (const name of ['.env', '.env.local', '.env.production', '.env.development']) {
      await writeFile(join(folder, name), variables);
    }
    expect(await runBinary(['whoami'], { home, cwd: folder })).toMatchObject(NOT_LOGGED_IN);
  });

  it('gives it no code to run, nor does the home folder', async () => {
    const preload = `preload = [${JSON.stringify(join(folder, 'code.js'))}]\n`;
    await writeFile(join(folder, 'bunfig.toml'), preload);
    await writeFile(join(home, '.bunfig.toml'), preload);
    const paths = { paths: { commander: ['./code.js'], './*': ['./code.js'] } };
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: paths }));
    const imports = { '#*': './code.js', commander: './code.js' };
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', imports }));
    const env = { XDG_CONFIG_HOME: home };
    expect(await runBinary(['whoami'], { home, cwd: folder, env })).toMatchObject(NOT_LOGGED_IN);
  });
});

describe('the environment', () => {
  it.each(['--require', '--import'])('gives it no code to run by NODE_OPTIONS %s', async (flag) => {
    const env = { NODE_OPTIONS: `${flag} ${join(folder, 'code.js')}` };
    expect(await runBinary(['whoami'], { home, env })).toMatchObject(NOT_LOGGED_IN);
  });

  it('can give it code by BUN_OPTIONS, as it can to every program on Node by NODE_OPTIONS', async () => {
    const env = { BUN_OPTIONS: `--preload ${join(folder, 'code.js')}` };
    const { stdout } = await runBinary(['whoami'], { home, env });
    expect(stdout).toBe('code that ran\n'); // SECURITY.md says so; with a switch for it this should become ''
  });
});

describe('the arguments', () => {
  it.each(ARGUMENTS.map((args) => ({ args, line: args.join(' ') })))(
    'are all its own: mx2s $line',
    async ({ args }) => {
      const onNode = await runBinary(args, { home, cwd: folder, program: NODE_PROGRAM });
      expect(await runBinary(args, { home, cwd: folder })).toEqual(onNode);
    },
  );
});
