import { describe, expect, it } from 'vitest';
import { define, type CommandDefinition, type CommandEntry } from '../src/commands/define.js';
import { UsageError } from '../src/errors.js';
import { exitCodeOf } from '../src/exit-codes.js';
import { parseCommandLine, toldError } from '../src/main.js';
import { runCli } from './kit/run-cli.js';

const seen: unknown[] = [];
const probe = define<unknown>({
  configure: (command) => {
    command
      .argument('[words...]')
      .option('-d, --data <json>')
      .option('--on <glob>', 'repeatable', (value: string) => [value]);
  },
  options: ({ args, flags, globals }) => ({ args, data: flags.text('data'), profile: globals.profile }),
  run: (_context, options) => {
    seen.push(options);
    return Promise.resolve(undefined);
  },
});
const entries: CommandEntry[] = [entry('probe', probe)];

function entry(name: string, definition: CommandDefinition): CommandEntry {
  return { name, summary: `what ${name} does`, load: () => Promise.resolve(definition) };
}

async function parsed(...argv: string[]): Promise<unknown> {
  const chosen = await parseCommandLine(argv, entries);
  if ('help' in chosen) return chosen;
  seen.length = 0;
  await chosen.run({} as never);
  return seen[0];
}

describe('parseCommandLine', () => {
  it.each([
    [['-p', 'work', 'probe', 'x']],
    [['probe', '-p', 'work', 'x']],
    [['probe', 'x', '-p', 'work']],
    [['probe', 'x', '--profile=work']],
  ])('takes a global flag wherever it stands: %j', async (argv) => {
    expect(await parsed(...argv)).toEqual({ args: ['x'], data: undefined, profile: 'work' });
  });

  it('leaves everything after -- to the command', async () => {
    expect(await parsed('probe', '--', 'sh', '-c', '--json')).toEqual({
      args: ['sh', '-c', '--json'],
      data: undefined,
      profile: undefined,
    });
  });

  it('takes a value that looks like a flag when it is joined', async () => {
    expect(await parsed('probe', '--data=-q')).toMatchObject({ data: '-q' });
  });

  it('takes no value of a flag for a command', async () => {
    expect(await parsed('-p', 'help', 'probe', 'x')).toMatchObject({ args: ['x'], profile: 'help' });
    const failure = parseCommandLine(
      ['probe', '--data', 'other', '--nope'],
      [...entries, entry('other', probe)],
    );
    await expect(failure).rejects.toMatchObject({ hint: 'run mx2s probe --help' });
  });

  it.each(['--password=geheim', "--access-token=ge=geheim'\ngeheim", '-Z=geheim'])(
    'names an unknown flag without what was given to it: %j',
    async (flag) => {
      const failure = parseCommandLine(['probe', flag], entries);
      await expect(failure).rejects.toMatchObject({
        code: 'usage',
        message: `unknown option '${flag.slice(0, flag.indexOf('='))}'`,
      });
    },
  );

  it('imports a command only when it is used', async () => {
    let loads = 0;
    const lazy: CommandEntry[] = [
      {
        name: 'lazy',
        summary: 'is not loaded',
        load: () => {
          loads += 1;
          return Promise.resolve(probe);
        },
      },
    ];
    await parseCommandLine(['--help'], lazy);
    await parseCommandLine(['--version'], lazy);
    expect(loads).toBe(0);
    await parseCommandLine(['help', 'lazy'], lazy);
    expect(loads).toBe(1);
  });

  it.each([
    ['an unknown command', ['nope'], "unknown command 'nope'"],
    ['an unknown flag', ['probe', '--nope'], "unknown option '--nope'"],
    ['a flag without its value', ['probe', '-d'], 'argument missing'],
    ['an unknown topic', ['help', 'nope'], "no help on 'nope'"],
    [
      'a word too many',
      ['help', 'probe', 'x'],
      "too many arguments for 'help': expected 1 argument but got 2",
    ],
  ])('refuses %s', async (_what, argv, message) => {
    const failure = await parseCommandLine(argv, entries).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure).toMatchObject({
      message: expect.stringMatching(/[^.]$/) as string,
      hint: expect.stringMatching(/^run mx2s .*[^.]$/) as string,
    });
    expect((failure as UsageError).message).toContain(message);
  });
});

describe('main', () => {
  it('shows help on stderr and fails when it is given nothing', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: mx2s');
  });

  it.each([['--help'], ['help'], ['--version'], ['help', 'exit-codes']])(
    'answers %s on stdout',
    async (...argv) => {
      const { code, stdout, stderr } = await runCli(argv);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toBe('');
    },
  );

  it('prints a usage error as JSON where stdout is no terminal, as text on one or when told so', async () => {
    const asJson = await runCli(['nope']);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ v: 1, error: { code: 'usage', retryable: false } });
    const forced = await runCli(['nope', '--text']);
    expect(forced.stderr).toBe("hint: run mx2s --help\nmx2s: unknown command 'nope'\n");
    const onTerminal = await runCli(['nope'], { terminal: { stdout: true } });
    expect(onTerminal.stderr).toContain('mx2s: unknown command');
    expect([asJson.code, forced.code, onTerminal.code]).toEqual([2, 2, 2]);
  });

  it('ends quietly with 0 when the reader of stdout went away', async () => {
    const { code, stderr } = await runCli(['exit-codes'], { breakStdout: { code: 'EPIPE', afterWrites: 0 } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('fails with 1 when the disk is full', async () => {
    const { code, stderr } = await runCli(['exit-codes'], {
      breakStdout: { code: 'ENOSPC', afterWrites: 0 },
    });
    expect(code).toBe(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'disk' } });
  });
});

describe('toldError', () => {
  it.each(['EMFILE', 'ENFILE'])('does not call %s a bug', (code) => {
    const told = toldError(Object.assign(new Error(code), { code }));
    expect(exitCodeOf(told)).toBe(1);
    expect(told).toMatchObject({ code: 'disk', message: 'too many files are open' });
  });

  it('leaves any other error as it is', () => {
    const errors = [new Error('x'), new UsageError('x'), undefined];
    expect(errors.map(toldError)).toEqual(errors);
  });
});
