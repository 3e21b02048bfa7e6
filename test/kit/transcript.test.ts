import { describe, expect, it } from 'vitest';
import { runTranscript } from './transcript.js';
import { matchOutput, parseConsoleBlocks, parseScript } from './transcript-format.js';

const run = (script: string) => runTranscript('made-up', parseScript(script));

describe('a transcript', () => {
  it('passes when stdout, stderr and the exit status are as written', async () => {
    await run(`
# Both streams, in one command of two lines.
$ echo one
> echo two >&2; exit_with() { return 3; }; exit_with
one
! two
? 3
`);
  });

  it('keeps variables, the folder, $? and background jobs from one command to the next', async () => {
    await run(`
$ word=kept; export word; mkdir here; cd here; sleep 60 >/dev/null 2>&1 &
$ mkdir here; cd here; false
? 1
$ echo $? $(basename "$PWD")
1 here
$ kill $!
`);
  });

  it('gives the value it captured to later output and to later commands', async () => {
    await run(`
$ echo '{"txn":"abc"}'
{"txn":"<txn>"}
$ echo "$txn-$txn"
<txn>-<txn>
`);
  });

  it('has an empty stdin', async () => {
    await run('$ cat');
  });

  it.each([
    ['other output', '$ echo one\ntwo', /made-up:1 \$ echo one/],
    ['output too much', '$ echo one', /made-up:1/],
    ['output missing', '$ true\none', /made-up:1/],
    ['no newline at the end', '$ printf one\none', /made-up:1/],
    ['other talk', '$ echo one >&2\n! two', /made-up:1 .*\(stderr\)/],
    ['talk unannounced', '$ echo one >&2', /made-up:1 .*\(stderr\)/],
    ['another exit status', '$ false', /made-up:1/],
    ['a captured value that changes', '$ echo 1\n<n>\n$ echo 2\n<n>', /made-up:3/],
    ['a shell that ends', '$ exit 3', /made-up:1 \$ exit 3: the shell ended/],
    ['an unknown directive', '@sreve', /made-up:1 @sreve: there is no such directive/],
  ])('fails on %s', async (_name, script, message) => {
    await expect(run(script)).rejects.toThrow(message);
  });

  it('shows what was expected and what came', async () => {
    await expect(run('$ echo 12; echo one\n<n>\ntwo')).rejects.toMatchObject({
      expected: '12\ntwo\n',
      actual: '12\none\n',
    });
  });
});

describe('the console blocks of a page', () => {
  const page = [
    '# Page',
    '<!-- @where http://localhost:8008 is $word -->',
    '```sh',
    'not run',
    '```',
    '```console',
    '$ word=said; echo out; echo err >&2; false',
    'out',
    'err',
    '```',
  ].join('\n');

  it('are run with both streams as one, any exit status', async () => {
    await runTranscript('page', parseConsoleBlocks(page));
  });

  it('fail when the output differs', async () => {
    const wrong = parseConsoleBlocks(page.replace('\nerr\n', '\nother\n'));
    await expect(runTranscript('page', wrong)).rejects.toThrow(/page:7/);
  });

  it('that do not end are refused', () => {
    expect(() => parseConsoleBlocks('```console\n$ true')).toThrow('line 1: the console block has no end');
  });
});

describe('expected output', () => {
  const known = new Map([['port', '8008']]);
  it.each<[string[], string, Record<string, string> | undefined]>([
    [[], '', {}],
    [['a', '…'], 'a\n', {}],
    [['a', '…', 'z'], 'a\nb\nc\nz\n', {}],
    [['a', '…', 'z'], 'a\nb\n', undefined],
    [['"ts":…}'], '"ts":12}\n', {}],
    [['a…z'], 'a\nz\n', undefined],
    [['a.b'], 'a-b\n', undefined],
    [['"<id>" <id>'], '"x" x\n', { id: 'x' }],
    [['"<id>" <id>'], '"x" y\n', undefined],
    [['<port>'], '8008\n', {}],
    [['<port>'], '8009\n', undefined],
  ])('%j against %j', (expected, actual, values) => {
    const found = matchOutput(expected, actual, known);
    expect(found && Object.fromEntries(found)).toEqual(values);
  });
});
