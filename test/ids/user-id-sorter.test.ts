import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeLine } from '../../src/ids/id-lines.js';
import { makeUserIdSorter, UNSORTED } from '../../src/ids/user-id-sorter.js';
import { gradeUserId } from '../../src/ids/user-id.js';
import { ID_REASONS, ID_WARNINGS } from '../../src/ids/verdict.js';
import { userId } from './made-up.js';
import { readVectors } from './vector-file.js';

const sorter = makeUserIdSorter();
/** What the first line of each class was found to be, in all tests: the others of the class have to be found the same. */
const firstOfClass = new Map<number, { readonly id: string; readonly verdict: string }>();

describe('lines of one class are graded alike', () => {
  it.each([
    ['texts behind a sigil', '@', '', 4],
    ['server names', '@a:', '', 4],
    ['localparts', '@', ':b.c', 3],
    ['lines', '', '', 3],
    ['texts behind a host', '@a:b.c', '', 3],
    ['texts behind an address', '@a:[::1]', '', 3],
    ['texts in brackets', '@a:[', ']', 3],
  ])('all short %s', (_what, before, behind, length) => {
    const characters = ['@', ':', '.', '-', '1', 'a', 'Z', '_', '[', ']', '!', ' ', '"', 'é', '\0'];
    let texts = [''];
    for (let count = 0; count < length; count += 1) {
      texts = ['', ...texts.flatMap((text) => characters.map((character) => text + character))];
    }
    expectAlike(texts.map((text) => before + text + behind));
  });

  it('ports', () => {
    const numbers = Array.from({ length: 70_000 }, (_, port) => String(port));
    const odd = ['', '00000', '00001', '000000', '065535', '99999', '100000', '+80', '8a'];
    expectAlike([...numbers, ...odd].map((port) => `@a:b:${port}`));
  });

  it.each([
    [
      'IPv4 addresses',
      [
        '1.2.3.4',
        '255.255.255.255',
        '256.1.1.1',
        '1.1.1.999',
        '1.1.1.1000',
        '1.2.3',
        '1.2.3.4.5',
        '01.2.3.4',
        '1..2.3',
      ],
    ],
    [
      'IPv6 addresses',
      ['[::]', '[::A]', '[1:2:3:4:5:6:7:8]', '[::1.2.3.4]', '[::1.2.3.256]', '[:::]', '[', '[]', '[::1'],
    ],
    ['odd names', ['a-', '-a', 'a.', '.a', 'a..b', 'a.-b', 'a-.b', 'a--b', 'A', '-', '.', '1-1', '1.A']],
  ])('%s', (_what, hosts) => {
    const names = hosts.flatMap((host) => ['', ':1', ':65536', ':', 'x', '_'].map((end) => host + end));
    expectAlike(names.flatMap((name) => ['@', '@a', '@A', '@é', '@ '].map((start) => `${start}:${name}`)));
  });

  it('long lines, labels and names', () => {
    const ids = [253, 254, 255, 256, 257].flatMap((size) => [
      `@${'a'.repeat(size - 3)}:b`,
      `@${'é'.repeat(size / 2 - 2)}:bc`,
      `@:${'b.'.repeat(size / 2 - 2)}bc`,
      `@${'a'.repeat(size - 1)}`,
      'a'.repeat(size),
      `@a:${'b'.repeat(size)}_`,
    ]);
    const labels = [62, 63, 64].flatMap((size) => [`@a:${'b'.repeat(size)}.c`, `@a:${'1'.repeat(size)}`]);
    const names = [229, 230, 231].map((size) => `@a:${'b.'.repeat(size / 2)}${'c'.repeat(1 + (size % 2))}`);
    expectAlike([...ids, ...labels, ...names]);
  });

  it.each(['ids/user-ids.json', 'ids/user-id-order.json'])('%s', (path) => {
    const codes = Object.keys(ID_REASONS);
    const words = ['valid', 'server', 'compliant', 'non-compliant', ...codes];
    const expectations = {
      strict: words,
      historical: words,
      msc4246: words,
      warnings: Object.keys(ID_WARNINGS),
    };
    expectAlike(readVectors(path, expectations).map(({ input }) => input));
  });

  it('whatever is made up', () => {
    const one = fc.constantFrom(
      '@alice:example.org:8448',
      '@:example.org',
      '@Alice:[2001:db8::1]:80',
      '@a:1.2.3.4',
    );
    const edited = fc
      .tuple(one, fc.nat(24), fc.nat(0x200))
      .map(([id, at, code]) => id.slice(0, at) + String.fromCharCode(code) + id.slice(at + 1));
    fc.assert(
      fc.property(fc.array(fc.oneof(userId, edited)), (ids) => expectAlike(ids)),
      { seed: 4246, numRuns: 2000 },
    );
  });
});

describe('UserIdSorter', () => {
  it('leaves what is not UTF-8, and what JSON escapes', () => {
    const part = fc.oneof(
      fc.constantFrom('@', ':', 'a', 'b.c', '"', '\\', '\0', '\r', 'é', '€').map((text) => [...encode(text)]),
      fc.array(fc.constantFrom(0x7f, 0x80, 0xa9, 0xbf, 0xc3, 0xe2, 0xed, 0xf0, 0xff), { maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(part), (parts) => {
        const bytes = Uint8Array.from(parts.flat());
        const text = decodeLine(bytes);
        const [lineClass] = classesOf(Uint8Array.of(...bytes, 0x0a));
        const isPlain = typeof text === 'string' && JSON.stringify(text) === `"${text}"`;
        expect(lineClass === UNSORTED || isPlain).toBe(true);
      }),
      { seed: 4246, numRuns: 3000 },
    );
  });

  it.each([
    '@alice:example.org',
    '@:example.org:8448',
    '@Alice:example.org',
    '@é:example.org',
    '@a b:Example.ORG',
    '@a:1.2.3.4',
    '@a:1.2.3.256',
    '@a:[::1]:8448',
    '@a:[::g]',
    '@a:example.org:65536',
    '@a:example_org',
    `@${'a'.repeat(300)}:example.org`,
    '@a:',
    '@a',
    'a',
    '',
  ])('sorts %j', (id) => {
    expect(classesOf(encode(`${id}\n`))).not.toContain(UNSORTED);
  });

  it('has a number for each class', () => {
    const found = [...firstOfClass.keys()];
    expect(Math.min(...found)).toBeGreaterThan(UNSORTED);
    expect(Math.max(...found)).toBeLessThan(sorter.classes);
  });

  it('goes on where it left off, and passes over a line that is too long for it', () => {
    const ids = Array.from({ length: 20_000 }, (_, number) => `@a${number}:b`);
    const [ordinary] = classesOf(encode('@a1:b\n'));
    expect(classesOf(encode([...ids, ''].join('\n')))).toEqual(ids.map(() => ordinary));
    const long = `@${'a'.repeat(70_000)}:b`;
    expect(classesOf(encode(`@a1:b\n${long}\n@a1:b\n`))).toEqual([ordinary, UNSORTED, ordinary]);
  });
});

/** Expects that what holds for one line of a class holds for these, and for those of other calls. */
function expectAlike(texts: readonly string[]): void {
  const ids = texts.filter((text) => text.isWellFormed() && !text.includes('\n'));
  const classes = classesOf(encode(ids.map((id) => `${id}\n`).join('')));
  expect(classes.length).toBe(ids.length);
  for (const [index, id] of ids.entries()) {
    const lineClass = classes[index] ?? UNSORTED;
    if (lineClass === UNSORTED) continue;
    const { localpart, serverName, ...verdict } = gradeUserId(id);
    if (localpart !== undefined) expectEqual(id, `@${localpart}:${serverName}`, id);
    const found = { id, verdict: JSON.stringify({ ...verdict, hasParts: localpart !== undefined }) };
    const first = firstOfClass.get(lineClass);
    if (first === undefined) firstOfClass.set(lineClass, found);
    else
      expectEqual(
        found.verdict,
        first.verdict,
        `${JSON.stringify(id)} is sorted like ${JSON.stringify(first.id)}`,
      );
  }
}

/** Only a difference is worth the time of an `expect`: there are a million of these. */
function expectEqual(actual: string, expected: string, message: string): void {
  if (actual !== expected) expect(actual, message).toBe(expected);
}

function classesOf(block: Uint8Array): number[] {
  const classes: number[] = [];
  for (let start = 0; start < block.length;) {
    const count = sorter.sort(block, start);
    for (let line = 0; line < count; line += 1) {
      const end = sorter.lines[2 * line] ?? 0;
      expectEqual(String(block.indexOf(0x0a, start)), String(end), 'a line ends at the next line feed');
      classes.push(sorter.lines[2 * line + 1] ?? UNSORTED);
      start = end + 1;
    }
  }
  return classes;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
