import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  CanonicalJsonError,
  compareCodePoints,
  pointerToken,
} from '../../src/wire/canonical-json.js';
import { parseJson } from '../../src/wire/json.js';
import { jsonText, numberText } from './json-texts.js';

interface Vector {
  readonly name: string;
  readonly input: string;
  readonly expect:
    | { readonly canonical: string; readonly sha256?: string }
    | { readonly refused: string; readonly at: string };
}

const REASONS = ['fraction', 'integer_range', 'lone_surrogate', 'duplicate_key'];

describe.each(vectorFiles())('vectors/wire/canonical-json/$file', ({ vectors }) => {
  it.each(vectors)('$name', (vector) => {
    const { input, expect: wanted } = vector;
    if ('refused' in wanted) {
      const { reason, at } = refusal(input);
      expect({ refused: reason, at }).toEqual(wanted);
      return;
    }
    const canonical = canonicalJson(parseJson(input));
    expect(canonical).toBe(wanted.canonical);
    if (wanted.sha256 !== undefined) {
      const hash = createHash('sha256').update(canonical, 'utf8').digest('base64');
      expect(hash.replace(/=+$/, '')).toBe(wanted.sha256);
    }
  });
});

describe('canonicalJson', () => {
  it('is a fixed point, and means the same', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }).map(integersOnly), (value) => {
        const canonical = canonicalJson(parseJson(JSON.stringify(value, null, 1)));
        expect(JSON.parse(canonical)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(parseJson(canonical))).toBe(canonical);
      }),
    );
  });

  it('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' })), fc.nat(), (keys, turn) => {
        const write = (order: readonly string[]): string =>
          canonicalJson(parseJson(`{${order.map((key) => `${JSON.stringify(key)}:0`).join(',')}}`));
        const at = keys.length === 0 ? 0 : turn % keys.length;
        expect(write([...keys.slice(at), ...keys.slice(0, at)])).toBe(write(keys));
      }),
    );
  });

  it('writes the integer that a number stands for, counted with BigInt', () => {
    fc.assert(
      fc.property(numberText(), (text) => {
        const wanted = exactInteger(text);
        if (typeof wanted === 'bigint') expect(canonicalJson(parseJson(text))).toBe(String(wanted));
        else expect(refusal(text).reason).toBe(wanted);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses with an error of its own, and never another', () => {
    fc.assert(
      fc.property(jsonText(), (text) => {
        const node = parseJson(text);
        try {
          expect(canonicalJson(node).isWellFormed()).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CanonicalJsonError);
        }
      }),
    );
  });

  it('takes a long number in a short time', () => {
    const zeros = '0'.repeat(1_000_000);
    expect(refusal(`1${zeros}1`).reason).toBe('integer_range');
    expect(refusal(`0.${zeros}1${zeros}1`).reason).toBe('fraction');
    expect(canonicalJson(parseJson(`1${zeros}e-${zeros.length}`))).toBe('1');
  });
});

describe('compareCodePoints', () => {
  it('puts strings in the order of their code points', () => {
    const unit = fc.oneof(
      fc.constantFrom(
        'a',
        'b',
        '\u0000',
        '\ud7ff',
        '\ue000',
        '\ufb01',
        '\uffff',
        '😀',
        '\u{10000}',
        '\u{10ffff}',
      ),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(fc.string({ unit }), fc.string({ unit }), (a, b) => {
        expect(Math.sign(compareCodePoints(a, b))).toBe(compareLists(codePoints(a), codePoints(b)));
      }),
      { numRuns: 1000 },
    );
  });
});

describe('pointerToken', () => {
  it('escapes the tilde before the slash', () => {
    expect(pointerToken('a/b~c~1')).toBe('a~1b~0c~01');
  });
});

function vectorFiles(): { file: string; vectors: Vector[] }[] {
  const folder = join(import.meta.dirname, '../vectors/wire/canonical-json');
  return readdirSync(folder).map((file) => ({ file, vectors: readVectors(join(folder, file)) }));
}

/** Lets nothing through that the format does not name (test/vectors/README.md). */
function readVectors(path: string): Vector[] {
  const document = JSON.parse(readFileSync(path, 'utf8')) as { cases: Vector[] };
  expect(Object.keys(document)).toEqual(['title', 'spec', 'cases']);
  expect(document.cases.length).toBeGreaterThan(0);
  expect(new Set(document.cases.map(({ name }) => name)).size).toBe(document.cases.length);
  for (const each of document.cases) {
    expect(Object.keys(each)).toEqual(['name', 'input', 'expect', 'why']);
    expect(['canonical', 'canonical sha256', 'refused at']).toContain(Object.keys(each.expect).join(' '));
    if ('refused' in each.expect) expect(REASONS).toContain(each.expect.refused);
  }
  return document.cases;
}

function refusal(text: string): CanonicalJsonError {
  const node = parseJson(text);
  try {
    canonicalJson(node);
  } catch (error) {
    if (error instanceof CanonicalJsonError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

function integersOnly(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : Math.sign(value);
  if (Array.isArray(value)) return value.map(integersOnly);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, integersOnly(item)]));
}

function exactInteger(text: string): bigint | 'fraction' | 'integer_range' {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const shift = BigInt(exponent.replace('+', '')) - BigInt(fraction.length);
  const digits = BigInt(whole + fraction);
  const divisor = shift < 0n ? 10n ** -shift : 1n;
  if (digits % divisor !== 0n) return 'fraction';
  const magnitude = shift < 0n ? digits / divisor : digits * 10n ** shift;
  if (magnitude > BigInt(Number.MAX_SAFE_INTEGER)) return 'integer_range';
  return text.startsWith('-') ? -magnitude : magnitude;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0);
}

function compareLists(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((point, index) => point !== b[index]);
  if (at === -1) return a.length === b.length ? 0 : -1;
  const other = b[at];
  return other === undefined ? 1 : Math.sign((a[at] ?? 0) - other);
}
