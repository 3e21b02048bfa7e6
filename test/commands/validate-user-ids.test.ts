/** The quick way of `validate-id -` against the careful one, which takes identifiers as arguments. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userId } from '../ids/made-up.js';
import { runCli } from '../kit/run-cli.js';

const ORDINARY = [
  '@alice:example.org',
  '@:example.org:8448',
  '@Alice:b',
  '@é:b-',
  '@a:[::1]',
  '@a:1.2.3.256',
  'a',
  '',
];

describe('identifiers on stdin are told as those on the command line are', () => {
  const flags = fc.constantFrom(
    ['--json'],
    ['--text'],
    ['--json', '--invalid-only'],
    ['--count'],
    ['--json', '--grammar', 'strict'],
    ['--json', '--grammar', 'historical'],
    ['--json', '--server'],
    ['--invalid-only', '--grammar', 'historical', '--server'],
  );

  it('however the bytes are cut', async () => {
    const id = fc.oneof(userId, fc.constantFrom(...ORDINARY));
    const ids = fc.array(
      id.filter((text) => text.isWellFormed() && !text.includes('\n') && text !== '-'),
      { minLength: 1 },
    );
    const cuts = fc.array(fc.nat(200), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(flags, ids, cuts, fc.boolean(), async (typed, some, places, endsWhole) => {
        const input = Buffer.from(some.join('\n') + (endsWhole || some.at(-1) === '' ? '\n' : ''));
        const stdin = Readable.from(cutAt(input, places));
        const quick = await runCli(['validate-id', ...typed, '-'], { stdin });
        expect(quick).toEqual(await runCli(['validate-id', ...typed, '--', ...some]));
      }),
      { seed: 4246, numRuns: 300 },
    );
  });
});

it('what is not UTF-8, and lines longer than anything, are told among the others', async () => {
  const long = `@${'a'.repeat(70_000)}:b`;
  const huge = `@${'a'.repeat(1_200_000)}:b`;
  const stdin = Buffer.concat([
    Buffer.from('@a:b\n@a:'),
    Buffer.of(0xff),
    Buffer.from(`\n@a:b\n${long}\n@"\\:b\n${huge}\n@a:b`),
  ]);
  const { code, stdout } = await runCli(['validate-id', '--json', '-'], { stdin });
  const told = stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { id: string; code?: string });
  expect(code).toBe(1);
  expect(told.map(({ id }) => id.length)).toEqual([4, 4, 4, long.length, 5, huge.length, 4]);
  expect(told.map((each) => each.code)).toEqual([
    undefined,
    'E_UTF8',
    undefined,
    'E_TOO_LONG',
    'E_LOCALPART_CHAR',
    'E_TOO_LONG',
    undefined,
  ]);
});

it('a result for each of many lines goes out whole and in order', async () => {
  const ids = Array.from(
    { length: 30_000 },
    (_, number) => `@user${number}:${number % 7 === 0 ? 'B' : 'b'}.example`,
  );
  const { stdout } = await runCli(['validate-id', '--json', '-'], { stdin: ids.join('\n') });
  const lines = stdout.split('\n').slice(0, -1);
  expect(lines.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(ids);
});

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.filter((place) => place < bytes.length).sort((a, b) => a - b), bytes.length];
  return ends
    .map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
    .filter((part) => part.length > 0);
}
