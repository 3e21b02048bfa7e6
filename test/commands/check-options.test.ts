import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { REQUIREMENT_IDS } from '../../src/check/requirements.js';
import { configureCheck, parseCheckOptions, type CheckOptions } from '../../src/commands/check-options.js';
import { readFlags } from '../../src/commands/define.js';
import { addGlobalFlags, parseGlobals } from '../../src/commands/globals.js';
import { InvalidInputError, UsageError } from '../../src/errors.js';

const URL = 'https://hs.test';

describe('the command line', () => {
  // no title shows the line, which may name a requirement that the tests do not hold
  it.each<[string[], object]>([
    [
      [URL],
      {
        action: 'run',
        homeserver: URL,
        format: undefined,
        requirements: REQUIREMENT_IDS,
        other: undefined,
        probeType: 'mx2s.ping',
        waitMs: 5000,
        federation: undefined,
        allowRegister: false,
        strict: false,
        sharedDevice: false,
      },
    ],
    [
      [`${URL}/path/`, '--only', 'R-14, R-9,r-9'],
      { homeserver: `${URL}/path`, requirements: ['R-9', 'R-14'] },
    ],
    [
      [URL, '--other', 'bob', '--probe-type', 'a.b', '--timeout', '500ms'],
      { other: 'bob', probeType: 'a.b', waitMs: 500 },
    ],
    [
      [URL, '--allow-register', '--strict', '--shared-device'],
      { allowRegister: true, strict: true, sharedDevice: true },
    ],
    [[URL, '--federation'], { federation: { listen: { host: '127.0.0.1', port: 0 } } }],
    [[URL, '--format', 'tap'], { format: 'tap' }],
    [[URL, '--format', 'junit'], { format: 'junit' }],
    [[URL, '--json'], { format: 'json' }],
    [[URL, '--text', '--format', 'text'], { format: 'text' }],
    [[], { action: 'run', homeserver: undefined }],
    [[''], { homeserver: undefined }],
    [['--list', '--json'], { action: 'list', format: 'json', requirements: REQUIREMENT_IDS }],
    [['--list', URL, '--only', 'R-20'], { action: 'list', requirements: ['R-20'] }],
  ])('reads line %#', (argv, expected) => {
    expect(optionsOf(argv)).toMatchObject(expected);
  });

  it.each<[string[], new (...args: never[]) => Error]>([
    [['hs.test'], InvalidInputError],
    [[URL, '--only', 'R-8'], InvalidInputError],
    [[URL, '--only', ''], InvalidInputError],
    [[URL, '--format', 'xml'], UsageError],
    [[URL, '--format', 'tap', '--json'], UsageError],
    [['--list', '--format', 'tap'], UsageError],
    [[URL, '--timeout', 'soon'], InvalidInputError],
    [[URL, '--probe-type', ''], InvalidInputError],
    [[URL, '--other', '../x'], InvalidInputError],
    [[URL, '--signing-key', 'x'], UsageError],
  ])('refuses line %#', (argv, kind) => {
    expect(() => optionsOf(argv)).toThrow(kind);
  });

  function optionsOf(argv: readonly string[]): CheckOptions {
    const command = new Command('check').exitOverride().configureOutput({ writeErr: () => undefined });
    addGlobalFlags(command);
    configureCheck(command);
    command.parse(argv, { from: 'user' });
    return parseCheckOptions({
      args: command.args,
      passedOn: [],
      flags: readFlags(command.opts()),
      globals: parseGlobals(command.opts()),
    });
  }
});
