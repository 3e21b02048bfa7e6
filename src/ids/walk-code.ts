/**
 * The loop that follows an automaton, as a WebAssembly module of some 200 bytes (WebAssembly Core Specification 1.0,
 * section 5, "Binary Format"). In TypeScript it is `makeSlowWalk` of `table-walk.ts`.
 */

/** Where things are in the memory that the module works on, in bytes. */
export interface WalkPlan {
  /** For each byte, how far from the beginning of a row the column of its kind is. */
  readonly kindsAt: number;
  /** The rows, of `2 ** rowBits` bytes each: in each column the address of the next row. */
  readonly tableAt: number;
  readonly rowBits: number;
  /** The row where a line begins. */
  readonly firstRow: number;
  /** How far from the beginning of a row the column for `\n` is. */
  readonly lineEnd: number;
  readonly inputAt: number;
}

/**
 * The bytes of the module. It imports `js.memory`, and exports `walk(at, end, out)`: that reads the input from `at` to `end`,
 * writes for each line the place of its `\n` and the state behind it to the address `out`, eight bytes a line, and returns
 * the address behind the last of them.
 */
export function encodeWalkModule(plan: WalkPlan): Uint8Array {
  const variables = [1, ...size(2), I32];
  const body = [...variables, ...walkCode(plan), END];
  return Uint8Array.of(
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [FUNCTION, 3, I32, I32, I32, 1, I32]),
    ...section(2, [...name('js'), ...name('memory'), MEMORY, 0, 1]),
    ...section(3, [0]),
    ...section(7, [...name('walk'), 0, 0]),
    ...section(10, [...size(body.length), ...body]),
  );
}

function walkCode({ kindsAt, tableAt, rowBits, firstRow, lineEnd, inputAt }: WalkPlan): number[] {
  const nextByte = [...get(AT), LOAD_BYTE, 0, ...size(inputAt)];
  const column = [...nextByte, LOAD_BYTE, 0, ...size(kindsAt), TEE, COLUMN];
  const state = [...get(ROW), ...constant(tableAt), SUBTRACT, ...constant(rowBits), SHIFT_RIGHT];
  return [
    ...set(ROW, constant(firstRow)),
    ...[LOOP, NO_RESULT],
    ...set(ROW, [...get(ROW), ...column, ADD, LOAD, ALIGNED, ...size(0)]),
    ...[...get(COLUMN), ...constant(lineEnd), EQUAL, IF, NO_RESULT],
    ...[...get(OUT), ...get(AT), STORE, ALIGNED, ...size(0)],
    ...[...get(OUT), ...state, STORE, ALIGNED, ...size(4)],
    ...set(OUT, [...get(OUT), ...constant(8), ADD]),
    ...set(ROW, constant(firstRow)),
    END,
    ...set(AT, [...get(AT), ...constant(1), ADD]),
    ...[...get(AT), ...get(LAST), BELOW, BRANCH_IF, 0],
    END,
    ...get(OUT),
  ];
}

function get(local: number): number[] {
  return [GET, local];
}

function set(local: number, value: readonly number[]): number[] {
  return [...value, SET, local];
}

function constant(value: number): number[] {
  return [CONSTANT, ...size(value)];
}

/** A section that has one entry. */
function section(id: number, entry: readonly number[]): number[] {
  return [id, ...size(entry.length + 1), 1, ...entry];
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** A number below 2^27 in LEB128, signed or not: in four bytes, though fewer may do. */
function size(value: number): number[] {
  return [0, 7, 14, 21].map((bits) => ((value >> bits) & 0x7f) | (bits < 21 ? 0x80 : 0));
}

// parameters and variables
const AT = 0;
const LAST = 1;
const OUT = 2;
const ROW = 3;
const COLUMN = 4;

// types
const I32 = 0x7f;
const FUNCTION = 0x60;
const MEMORY = 0x02;
const NO_RESULT = 0x40;
/** An address that four divides. */
const ALIGNED = 2;

// instructions
const LOOP = 0x03;
const IF = 0x04;
const END = 0x0b;
const BRANCH_IF = 0x0d;
const GET = 0x20;
const SET = 0x21;
const TEE = 0x22;
const LOAD = 0x28;
const LOAD_BYTE = 0x2d;
const STORE = 0x36;
const CONSTANT = 0x41;
const EQUAL = 0x46;
const BELOW = 0x49;
const ADD = 0x6a;
const SUBTRACT = 0x6b;
const SHIFT_RIGHT = 0x76;
