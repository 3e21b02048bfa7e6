/** Reads a vector file, and lets nothing through that its format does not name (test/vectors/README.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface VectorCase {
  readonly name: string;
  readonly input: string;
  readonly expect: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * The cases of `test/vectors/<path>`.
 *
 * @param expectations the keys that `expect` may have, each with the closed list of its values
 * @throws Error naming the case, when something is missing, unknown, or there twice
 */
export function readVectors(
  path: string,
  expectations: Readonly<Record<string, readonly string[]>>,
): readonly VectorCase[] {
  const file = join(import.meta.dirname, '../vectors', path);
  return parseVectors(JSON.parse(readFileSync(file, 'utf8')), expectations);
}

export function parseVectors(
  document: unknown,
  expectations: Readonly<Record<string, readonly string[]>>,
): readonly VectorCase[] {
  const { title, spec, cases } = membersOf(document, ['title', 'spec', 'cases'], 'the file');
  textOf(title, 'title');
  textOf(spec, 'spec');
  if (!Array.isArray(cases) || cases.length === 0) throw new Error('the file has no cases');
  const names = new Set<string>();
  return cases.map((each, index) => {
    const members = membersOf(each, ['name', 'input', 'expect', 'why'], `case ${index}`);
    const name = textOf(members['name'], `name of case ${index}`);
    if (names.has(name)) throw new Error(`two cases have the name ${name}`);
    names.add(name);
    textOf(members['why'], `why of ${name}`);
    return {
      name,
      input: parseInput(members['input'], name),
      expect: parseExpect(members['expect'], expectations, name),
    };
  });
}

/** A string, or the UTF-16 code units of one that no UTF-8 file can hold. */
function parseInput(input: unknown, name: string): string {
  if (typeof input === 'string') return input;
  const units = textOf(membersOf(input, ['utf16'], `input of ${name}`)['utf16'], `utf16 of ${name}`);
  if (!/^[0-9a-f]{4}(?: [0-9a-f]{4})*$/.test(units)) throw new Error(`input of ${name} has odd code units`);
  return String.fromCharCode(...units.split(' ').map((unit) => parseInt(unit, 16)));
}

function parseExpect(
  expect: unknown,
  expectations: Readonly<Record<string, readonly string[]>>,
  name: string,
): VectorCase['expect'] {
  const entries = Object.entries(objectOf(expect, `expect of ${name}`)).map(([key, value]) => {
    const allowed = expectations[key];
    if (allowed === undefined) throw new Error(`expect of ${name} has an unknown key ${key}`);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const words = values.map((word) => textOf(word, `${key} of ${name}`));
    const odd = words.find((word) => !allowed.includes(word));
    if (odd !== undefined) throw new Error(`${key} of ${name} has an unknown value ${odd}`);
    return [key, Array.isArray(value) ? words : (words[0] ?? '')] as const;
  });
  return Object.fromEntries(entries);
}

function membersOf(value: unknown, keys: readonly string[], what: string): Record<string, unknown> {
  const object = objectOf(value, what);
  const odd = Object.keys(object).find((key) => !keys.includes(key));
  if (odd !== undefined) throw new Error(`${what} has an unknown key ${odd}`);
  const missing = keys.find((key) => !(key in object));
  if (missing !== undefined) throw new Error(`${what} has no ${missing}`);
  return object;
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is no object`);
  return value as Record<string, unknown>;
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== 'string' || value === '') throw new Error(`${what} is no text`);
  return value;
}
