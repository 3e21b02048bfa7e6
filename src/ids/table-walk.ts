/**
 * Follows an automaton over many lines of bytes. What the automaton knows is in its table; here it is only followed.
 *
 * In WebAssembly that takes half of the time that it takes in JavaScript, which has to warm up and checks each index.
 * `makeSlowWalk` is the same in JavaScript: for where there is no WebAssembly, and for tests to compare with.
 */
import { encodeWalkModule } from './walk-code.js';

/** How many columns a row of a table has. */
export const COLUMNS = 16;

/** An automaton. Its states are called by number. */
export interface Automaton {
  /** The kind of each byte, below 16. */
  readonly kinds: Uint8Array;
  /** The kind of `\n`, and of no other byte. */
  readonly lineEnd: number;
  /** At `16 * state + kind`: the state after a byte of that kind. */
  readonly table: Int32Array;
  /** The state where a line begins. */
  readonly first: number;
}

/** A walk over lines, as many as there is room for. */
export interface Walk {
  /** Where the lines are to be put, each with its `\n`. */
  readonly input: Uint8Array;
  /** For each line two numbers: the place of its `\n`, and the state behind it. */
  readonly found: Int32Array;
  /**
   * Walks over the first `length` bytes of `input`, one line or more.
   * @returns how many lines
   */
  walk(length: number): number;
}

/** A walk with room for so many bytes. */
export function makeWalk(automaton: Automaton, maxBytes: number): Walk {
  try {
    return makeQuickWalk(automaton, maxBytes);
  } catch {
    // there is no WebAssembly, or not the gigabytes of addresses that it sets aside (ulimit -v)
    return makeSlowWalk(automaton, maxBytes);
  }
}

/** The same walk in JavaScript alone. */
export function makeSlowWalk({ kinds, lineEnd, table, first }: Automaton, maxBytes: number): Walk {
  const input = new Uint8Array(maxBytes);
  const found = new Int32Array(2 * maxBytes);
  function walk(length: number): number {
    let state = first;
    let lines = 0;
    for (let at = 0; at < length; at += 1) {
      const kind = kinds[input[at] ?? 0] ?? 0;
      state = table[COLUMNS * state + kind] ?? 0;
      if (kind !== lineEnd) continue;
      found[2 * lines] = at;
      found[2 * lines + 1] = state;
      lines += 1;
      state = first;
    }
    return lines;
  }
  return { input, found, walk };
}

/** The same walk in WebAssembly. @throws Error where there is none, or no room for it */
export function makeQuickWalk({ kinds, lineEnd, table, first }: Automaton, maxBytes: number): Walk {
  const tableAt = kinds.length;
  const inputAt = tableAt + 4 * table.length;
  const foundAt = 4 * Math.ceil((inputAt + maxBytes) / 4);
  const memory = new WebAssembly.Memory({ initial: Math.ceil((foundAt + 8 * maxBytes) / PAGE_BYTES) });
  const input = new Uint8Array(memory.buffer, inputAt, maxBytes);
  const found = new Int32Array(memory.buffer, foundAt, 2 * maxBytes);

  // there, a state is the address of its row, and a kind how far its column is: the sum of both is where to look
  const rowAt = (state: number): number => tableAt + 4 * COLUMNS * state;
  new Uint8Array(memory.buffer).set(kinds.map((kind) => 4 * kind));
  new Int32Array(memory.buffer, tableAt).set(table.map(rowAt));
  const code = encodeWalkModule({
    kindsAt: 0,
    tableAt,
    rowBits: Math.log2(4 * COLUMNS),
    firstRow: rowAt(first),
    lineEnd: 4 * lineEnd,
    inputAt,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(code), { js: { memory } });
  return { input, found, walk: (length) => (exports.walk(0, length, foundAt) - foundAt) / 8 };
}

/** The part of WebAssembly that is used: TypeScript knows it in browsers only. */
declare const WebAssembly: {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: object,
  ) => { readonly exports: { walk(at: number, end: number, out: number): number } };
};

/** Of memory, in WebAssembly. */
const PAGE_BYTES = 65_536;
