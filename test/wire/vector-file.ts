/** Reads a vector file, and lets nothing through that its format does not name (test/vectors/README.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The members that objects of a file may have. `expect` may also be one of `words`. */
export interface VectorFormat {
  /** Besides `title`, `spec` and `cases`. */
  readonly top?: readonly string[];
  readonly input?: readonly string[];
  readonly expect?: readonly string[];
  readonly words?: readonly string[];
}

export interface VectorCase<Input, Expect> {
  readonly name: string;
  readonly input: Input;
  readonly expect: Expect;
  readonly why: string;
}

export interface VectorFile<Input, Expect> {
  readonly [top: string]: unknown;
  readonly cases: readonly VectorCase<Input, Expect>[];
}

/**
 * The file `test/vectors/<path>`.
 * @throws Error naming the case, when something is missing, unknown, or there twice
 */
export function readVectorFile<Input, Expect>(path: string, format: VectorFormat): VectorFile<Input, Expect> {
  const file = JSON.parse(readFileSync(join(import.meta.dirname, '../vectors', path), 'utf8')) as VectorFile<
    Input,
    Expect
  >;
  refuseOthers(file, ['title', 'spec', 'cases', ...(format.top ?? [])], path);
  const names = new Set<string>();
  for (const each of file.cases) {
    refuseOthers(each, ['name', 'input', 'expect', 'why'], `a case of ${path}`);
    if (names.has(each.name)) throw new Error(`${path} has ${each.name} twice`);
    names.add(each.name);
    if (format.input !== undefined) refuseOthers(each.input, format.input, `input of ${each.name}`);
    if (typeof each.expect === 'string' && format.words?.includes(each.expect) === true) continue;
    refuseOthers(each.expect, format.expect ?? [], `expect of ${each.name}`);
  }
  if (names.size === 0) throw new Error(`${path} has no cases`);
  return file;
}

function refuseOthers(value: unknown, allowed: readonly string[], what: string): void {
  if (typeof value !== 'object' || value === null) throw new Error(`${what} is no object`);
  const odd = Object.keys(value).find((key) => !allowed.includes(key));
  if (odd !== undefined) throw new Error(`${what} has an unknown member ${odd}`);
}
