import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { readFlags } from '../../src/commands/define.js';
import { addGlobalFlags, parseGlobals } from '../../src/commands/globals.js';
import { listen } from '../../src/commands/listen.js';
import { parseListenOptions, type ListenOptions } from '../../src/commands/listen-options.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';

function optionsOf(argv: readonly string[]): ListenOptions {
  const command = new Command('listen').exitOverride().configureOutput({ writeErr: () => undefined });
  addGlobalFlags(command);
  listen.configure(command);
  command.parse(argv, { from: 'user' });
  const flags = readFlags(command.opts());
  return parseListenOptions({
    args: command.args,
    passedOn: [],
    flags,
    globals: parseGlobals(command.opts()),
  });
}

const NO_RULES = { types: [], notTypes: [], from: [], anySender: false };

describe('parseListenOptions', () => {
  it('has a default for everything', () => {
    expect(optionsOf([])).toEqual({
      action: 'listen',
      count: Infinity,
      timeoutMs: undefined,
      idleMs: Infinity,
      drain: false,
      since: { from: 'stored' },
      selection: NO_RULES,
      raw: false,
      hook: undefined,
      readyFile: undefined,
      sync: 'v3',
      maxOfflineMs: Infinity,
      sharedDevice: false,
    });
  });

  it.each<[string[], object]>([
    [['-C', '5', '-W', '30s'], { count: 5, timeoutMs: 30_000 }],
    [['--count', '5', '--timeout', '2m'], { count: 5, timeoutMs: 120_000 }],
    [
      ['--idle', '500ms', '--drain', '--max-offline', '1h'],
      { idleMs: 500, drain: true, maxOfflineMs: 3_600_000 },
    ],
    [['--since', 'start'], { since: { from: 'start' } }],
    [['--since', 's72_1'], { since: { token: 's72_1' } }],
    [
      ['-t', 'a', '-t', 'b.*', '-T', 'c'],
      { selection: { ...NO_RULES, types: ['a', 'b.*'], notTypes: ['c'] } },
    ],
    [
      ['--from', '@Alice:example.org', '--from', '@:example.org'],
      { selection: { ...NO_RULES, from: ['@Alice:example.org', '@:example.org'] } },
    ],
    [['--any-sender', '-r'], { selection: { ...NO_RULES, anySender: true }, raw: true }],
    [['--exec', 'cat'], { hook: { target: { command: 'cat' }, retries: 5, onFailure: 'stop' } }],
    [
      ['--exec', 'cat', '--hook-retries', '0', '--on-hook-failure', 'skip'],
      { hook: { target: { command: 'cat' }, retries: 0, onFailure: 'skip' } },
    ],
    [
      ['--forward-to', 'http://127.0.0.1/', '-H', 'X-A: 1', '-H', '@file'],
      {
        hook: {
          target: { url: 'http://127.0.0.1/', headers: [{ name: 'x-a', value: '1' }, { file: 'file' }] },
        },
      },
    ],
    [['--sync', 'sliding', '--shared-device'], { sync: 'sliding', sharedDevice: true }],
    [['--ready-file', 'f'], { readyFile: 'f' }],
    [['--peek', '--count', '3', '-t', 'a', '--since', 'start'], { action: 'peek', count: 3 }],
    [['--discard', '--since', 'start', '--sync', 'sliding'], { action: 'discard', sync: 'sliding' }],
  ])('reads %j', (argv, expected) => {
    expect(optionsOf(argv)).toMatchObject(expected);
  });

  it.each<[string[], new (...args: never[]) => Error, string]>([
    [['-C', '0'], InvalidInputError, '--count'],
    [['-C', 'x'], InvalidInputError, '--count'],
    [['-W', 'soon'], InvalidInputError, '--timeout'],
    [['--idle', '-1'], InvalidInputError, '--idle'],
    [['--since', 'new'], InvalidInputError, '--since'],
    [['--since', ''], InvalidInputError, '--since'],
    [['--from', 'alice'], InvalidInputError, 'alice'],
    [['--sync', 'v4'], UsageError, '--sync'],
    [['--exec', 'a', '--forward-to', 'http://a'], UsageError, '--exec does not go with --forward-to'],
    [['-H', 'X: 1'], UsageError, '--header goes with --forward-to'],
    [['--exec', 'a', '-H', 'X: 1'], UsageError, '--header goes with --forward-to'],
    [['--forward-to', 'http://u:p@a'], InvalidInputError, 'user information'],
    [['--forward-to', 'http://a', '-H', 'Authorization: x'], InvalidInputError, 'authorization'],
    [['--hook-retries', '1'], UsageError, '--hook-retries goes with'],
    [['--on-hook-failure', 'skip'], UsageError, '--on-hook-failure goes with'],
    [['--exec', 'a', '--on-hook-failure', 'die'], UsageError, '--on-hook-failure'],
    [['--peek', '--discard'], UsageError, '--peek does not go with --discard'],
    [['--peek', '--exec', 'a'], UsageError, '--peek does not go with --exec'],
    [['--peek', '--since', 's1'], UsageError, '--peek does not go with --since'],
    [['--discard', '-t', 'a'], UsageError, '--discard does not go with --type'],
    [['--discard', '--from', '@:a'], UsageError, '--discard does not go with --from'],
    [['--discard', '--count', '1'], UsageError, '--discard does not go with --count'],
    [['--discard', '--forward-to', 'http://a'], UsageError, '--discard does not go with --forward-to'],
  ])('refuses %j', (argv, kind, told) => {
    let error: unknown;
    try {
      optionsOf(argv);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(kind);
    expect(error).toHaveProperty('message', expect.stringContaining(told));
  });

  it.each(['', ' '])('refuses the command %j', (command) => {
    expect(() => optionsOf(['--exec', command])).toThrow(UsageError);
  });
});
