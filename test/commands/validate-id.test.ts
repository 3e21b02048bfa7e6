import { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Context } from '../../src/commands/context.js';
import { readFlags } from '../../src/commands/define.js';
import { parseGlobals } from '../../src/commands/globals.js';
import { validateId } from '../../src/commands/validate-id.js';
import { openStreams, type WritableLike } from '../../src/ui/streams.js';
import { runBinary } from '../kit/binary.js';
import { PLAIN_STREAMS, runCli, startCli, type RunSettings } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

const validate = (args: readonly string[], settings?: RunSettings) =>
  runCli(['validate-id', ...args], settings);

describe('the result', () => {
  it('has every field, for a server user', async () => {
    const { code, stdout, stderr } = await validate(['@:example.org:8448']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(
      '{"v":1,"id":"@:example.org:8448","kind":"user","valid":true,"is_server":true,"localpart":"",' +
        '"server_name":"example.org:8448","warnings":[],"grammars":{' +
        '"strict":{"valid":false,"code":"E_LOCALPART_EMPTY"},"historical":{"valid":true,"compliant":false},' +
        '"msc4246":{"valid":true}}}\n',
    );
  });

  it('has code and reason if it is not valid, and warnings all the same', async () => {
    const { code, stdout } = await validate(['@Alice:Example.org.']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      id: '@Alice:Example.org.',
      kind: 'user',
      valid: false,
      is_server: false,
      localpart: 'Alice',
      server_name: 'Example.org.',
      code: 'E_LOCALPART_CHAR',
      reason: 'the localpart has a character that this grammar does not allow',
      warnings: ['W_DNS_LABEL', 'W_UPPERCASE'],
      grammars: {
        strict: { valid: false, code: 'E_LOCALPART_CHAR' },
        historical: { valid: true, compliant: true },
        msc4246: { valid: false, code: 'E_LOCALPART_CHAR' },
      },
    });
  });

  it('has null for parts that are not there', async () => {
    const { stdout } = await validate(['alice', '--kind', 'user']);
    expect(JSON.parse(stdout)).toMatchObject({ localpart: null, server_name: null, code: 'E_SIGIL' });
  });

  it('is one line for each identifier, in order', async () => {
    const { code, stdout } = await validate(['@a:b', '', '@:b']);
    expect(code).toBe(1);
    expect(idsIn(stdout)).toEqual(['@a:b', '', '@:b']);
  });
});

describe('kind, grammar and --server', () => {
  it.each<[args: string[], expected: object, code: number]>([
    [['@:b', '--grammar', 'strict'], { valid: false, code: 'E_LOCALPART_EMPTY', is_server: true }, 1],
    [['@:b', '--grammar', 'historical'], { valid: true, is_server: true }, 0],
    [['@Alice:b', '--grammar', 'historical'], { valid: true, is_server: false }, 0],
    [['@:b', '--server'], { valid: true, is_server: true }, 0],
    [['@:b', '--server', '--grammar', 'strict'], { valid: false, code: 'E_LOCALPART_EMPTY' }, 1],
    [['@a:b', '--server'], { valid: false, code: 'E_NOT_SERVER', grammars: { msc4246: { valid: true } } }, 1],
    [['@a:', '--server'], { valid: false, code: 'E_SERVER_EMPTY' }, 1],
    [['--kind', 'server', 'b:1'], { kind: 'server', valid: true, is_server: true, server_name: 'b:1' }, 0],
    [['--kind', 'server', 'b:'], { kind: 'server', valid: false, is_server: false, code: 'E_PORT' }, 1],
    [['--kind', 'device', 'A'], { kind: 'device', valid: true, is_server: false, server_name: null }, 0],
    [['--kind', 'device', ''], { kind: 'device', valid: true, is_server: true }, 0],
    [['--kind', 'device', '', '--grammar', 'strict'], { valid: false, code: 'E_DEVICE_EMPTY' }, 1],
    [['--kind', 'device', '', '--grammar', 'historical'], { valid: false, code: 'E_DEVICE_EMPTY' }, 1],
    [['--kind', 'device', '*'], { valid: false, code: 'E_DEVICE_WILDCARD' }, 1],
    [['--', '-@a:b'], { valid: false, code: 'E_SIGIL' }, 1],
  ])('%j', async (args, expected, code) => {
    const finished = await validate(args);
    expect(JSON.parse(finished.stdout)).toMatchObject(expected);
    expect(finished.code).toBe(code);
  });
});

describe('what is printed', () => {
  const input = '@a:b\n@A:b\n@:b\n';

  it.each<[args: string[], stdout: string, code: number]>([
    [['--count', '-'], '{"v":1,"total":3,"valid":2,"invalid":1}\n', 1],
    [['--count', '-', '--grammar', 'strict'], '{"v":1,"total":3,"valid":1,"invalid":2}\n', 1],
    [['--count', '-', '--grammar', 'historical'], '{"v":1,"total":3,"valid":3,"invalid":0}\n', 0],
    [['--count', '-', '--server'], '{"v":1,"total":3,"valid":1,"invalid":2}\n', 1],
    [['--count', '--invalid-only', '-'], '{"v":1,"total":3,"valid":2,"invalid":1}\n', 1],
    [['--count', '--kind', 'device', '-'], '{"v":1,"total":3,"valid":3,"invalid":0}\n', 0],
    [['--count', '--text', '-'], '3 in all, 2 valid, 1 invalid\n', 1],
    [['--count', '@a:b', '@:b'], '{"v":1,"total":2,"valid":2,"invalid":0}\n', 0],
    [['-q', '-'], '', 1],
    [['-q', '--count', '-'], '', 1],
    [['-q', '@a:b'], '', 0],
    [['--invalid-only', '--grammar', 'historical', '-'], '', 0],
  ])('%j', async (args, stdout, code) => {
    expect(await validate(args, { stdin: input })).toEqual({ code, stdout, stderr: '' });
  });

  it.each<[args: string[], ids: string[]]>([
    [['-'], ['@a:b', '@A:b', '@:b']],
    [['--invalid-only', '-'], ['@A:b']],
    [
      ['--invalid-only', '-', '--grammar', 'strict'],
      ['@A:b', '@:b'],
    ],
    [
      ['--invalid-only', '-', '--server'],
      ['@a:b', '@A:b'],
    ],
  ])('%j prints those identifiers', async (args, ids) => {
    expect(idsIn((await validate(args, { stdin: input })).stdout)).toEqual(ids);
  });
});

describe('stdin', () => {
  it('has an identifier on each line, empty ones and carriage returns included', async () => {
    const { code, stdout } = await validate(['-'], { stdin: '@a:b\n\n@a:b\r\n@a:b' });
    expect(code).toBe(1);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { id: '@a:b', valid: true },
      { id: '', code: 'E_SIGIL' },
      { id: '@a:b\r', code: 'E_SERVER_CHAR' },
      { id: '@a:b', valid: true },
    ]);
  });

  it.each(['user', 'server', 'device'])('gives E_UTF8 for bytes that are none (%s)', async (kind) => {
    const { code, stdout } = await validate(['--kind', kind, '-'], {
      stdin: Uint8Array.from([0x61, 0xff, 0x0a]),
    });
    expect(code).toBe(1);
    const refusal = { valid: false, code: 'E_UTF8' };
    expect(JSON.parse(stdout)).toMatchObject({
      id: 'a\ufffd',
      code: 'E_UTF8',
      reason: 'it is not UTF-8',
      grammars: { strict: refusal, historical: refusal, msc4246: refusal },
    });
  });

  it('must not be empty', async () => {
    const { code, stdout, stderr } = await validate(['--count', '-']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'invalid_input', message: 'identifiers were to come from stdin, which is empty' },
    });
  });

  it('may be a single empty line', async () => {
    const { stdout } = await validate(['--count', '-'], { stdin: '\n' });
    expect(stdout).toBe('{"v":1,"total":1,"valid":0,"invalid":1}\n');
  });

  it('is answered as it comes, and left when interrupted', async () => {
    const stdin = new Readable({ read: () => undefined });
    const running = startCli(['validate-id', '-'], { stdin });
    stdin.push('@a:b\n@unfinished');
    await running.stdout.until(/"@a:b"/);
    running.signal('SIGINT');
    const { code, stdout, stderr } = await running.done;
    expect(code).toBe(130);
    expect(idsIn(stdout)).toEqual(['@a:b']);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'interrupted' } });
  });

  it('is read no faster than stdout takes the results, which go out in one write a chunk', async () => {
    let pulled = 0;
    const chunk = Buffer.from('@a:b\n'.repeat(1000));
    async function* source(): AsyncGenerator<Uint8Array> {
      while (pulled < 3) {
        pulled += 1;
        yield await Promise.resolve(chunk);
      }
    }
    const writes: { readonly lineCount: number; readonly pulled: number }[] = [];
    const stdout: WritableLike = {
      write: (text, done) => {
        // whoever does not wait for a write has pulled more by the time it is done
        setImmediate(() => {
          writes.push({ lineCount: textOf(text).split('\n').length - 1, pulled });
          done();
        });
        return false;
      },
      on: () => undefined,
    };
    expect(await runOn(stdout, source(), ['-'])).toBe(0);
    expect(writes).toEqual([1, 2, 3].map((number) => ({ lineCount: 1000, pulled: number })));
  });
});

describe('text', () => {
  it('is a line for each identifier, with what can be said about it', async () => {
    const ids = ['@alice:example.org', '@:example.org', '@Alice:Example.org', 'alice', ''];
    const { stdout } = await validate(['--text', ...ids]);
    expect(stdout.split('\n')).toEqual([
      'valid    @alice:example.org',
      'valid    @:example.org  server user; valid in historical and msc4246',
      'invalid  @Alice:Example.org  E_LOCALPART_CHAR the localpart has a character that this grammar does not allow; ' +
        'W_UPPERCASE the server name has upper case, and case counts; valid in historical',
      'invalid  alice  E_SIGIL a user ID starts with "@"',
      'invalid  ""  E_SIGIL a user ID starts with "@"',
      '',
    ]);
  });

  it('calls the server device by its name', async () => {
    const { stdout } = await validate(['--text', '--kind', 'device', '']);
    expect(stdout).toBe('valid    ""  server device; valid in msc4246\n');
  });

  it('never holds a control character of an identifier', async () => {
    const { stdout } = await validate(['--text', '@a\u001b[31m\u202e:b']);
    expect(stdout).toMatch(/^invalid {2}@a\\u001b\[31m\\u202e:b {2}E_LOCALPART_CHAR /);
  });

  it('is coloured where asked for', async () => {
    const { stdout } = await validate(['--text', '--color', 'always', '@a:b']);
    expect(stdout).toBe('\u001b[32mvalid  \u001b[39m  \u001b[36m@a:b\u001b[39m\n');
  });

  it('is what a terminal gets, with long identifiers cut to its width', async () => {
    const { stdout } = await validate([`@${'a'.repeat(300)}:b`], { terminal: { stdout: true }, columns: 20 });
    expect(stdout).toContain(`@${'a'.repeat(18)}…`);
    expect(stdout).not.toContain('a'.repeat(19));
  });
});

it('writes JSON to a terminal without raw control characters', async () => {
  const { stdout } = await validate(['--json', '@\u007f\u200b:b'], { terminal: { stdout: true } });
  expect(stdout).toContain('"id":"@\\u007f\\u200b:b"');
  expect(JSON.parse(stdout)).toMatchObject({ id: '@\u007f\u200b:b' });
});

it('ends quietly when nobody reads any more', async () => {
  const finished = await validate(['-'], {
    stdin: '@a:b\nx\n',
    breakStdout: { code: 'EPIPE', afterWrites: 0 },
  });
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
});

describe('wrong usage', () => {
  it.each<[args: string[], message: string]>([
    [[], 'no identifier was given'],
    [['@a:b', '-'], "'-' reads from stdin and stands alone"],
    [['--kind', 'room', 'x'], "--kind: 'room' is not one of user, server, device"],
    [['--grammar', 'loose', 'x'], "--grammar: 'loose' is not one of msc4246, strict, historical"],
    [['--server', '--kind', 'device', 'x'], '--server is for user IDs, not for --kind device'],
    [['--nope', 'x'], "unknown option '--nope'"],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await validate(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'usage', message } });
  });
});

describe('a million lines', () => {
  let home: TempDir;
  beforeAll(async () => {
    home = await makeTempDir();
  });
  afterAll(() => home.remove());

  it('need no more memory than a few', async () => {
    const { code, stdout } = await runBinary(['validate-id', '--count', '-'], {
      home: home.path,
      stdin: '@alice:example.org\n@Alice:example.org\n'.repeat(500_000),
      env: { NODE_OPTIONS: '--max-old-space-size=20' },
    });
    expect(stdout).toBe('{"v":1,"total":1000000,"valid":500000,"invalid":500000}\n');
    expect(code).toBe(1);
  });
});

function idsIn(stdout: string): unknown[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => (JSON.parse(line) as { id: unknown }).id);
}

function textOf(written: string | Uint8Array): string {
  return typeof written === 'string' ? written : Buffer.from(written).toString();
}

/** Runs the command on streams of the test's own. */
function runOn(
  stdout: WritableLike,
  stdin: AsyncIterable<Uint8Array>,
  args: readonly string[],
): Promise<number> {
  const used = {
    ...openStreams({ stdout, stderr: stdout }, PLAIN_STREAMS),
    stdin: { chunks: () => stdin },
    signal: new AbortController().signal,
  };
  const run = validateId.prepare({ args, passedOn: [], flags: readFlags({}), globals: parseGlobals({}) });
  return run(used as unknown as Context);
}
