import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  makeQuickWalk,
  makeSlowWalk,
  makeWalk,
  type Automaton,
  type Walk,
} from '../../src/ids/table-walk.js';
import { makeUserIdAutomaton } from '../../src/ids/user-id-automaton.js';

/** Its state is how many `a` there were, up to 2. */
const COUNTING: Automaton = {
  kinds: Uint8Array.from({ length: 256 }, (_, byte) => (byte === 0x61 ? 1 : byte === 0x0a ? 15 : 0)),
  lineEnd: 15,
  table: Int32Array.from(
    [0, 1, 2].flatMap((count) => [count, Math.min(count + 1, 2), ...Array<number>(14).fill(count)]),
  ),
  first: 0,
};

describe.each([
  ['makeQuickWalk', makeQuickWalk],
  ['makeSlowWalk', makeSlowWalk],
  ['makeWalk', makeWalk],
])('%s', (_name, make) => {
  it('tells of each line where it ends, and in which state', () => {
    const walk = make(COUNTING, 100);
    expect(walkOver(walk, 'xa\n\naaa\n')).toEqual([2, 1, 3, 0, 7, 2]);
    expect(walkOver(walk, '\n')).toEqual([0, 0]); // with nothing left of the time before
  });

  it('takes as many bytes as there is room for', () => {
    const walk = make(COUNTING, 5);
    expect(walkOver(walk, '\n\n\n\n\n')).toEqual([0, 0, 1, 0, 2, 0, 3, 0, 4, 0]);
    expect(walkOver(walk, 'aaaa\n')).toEqual([4, 2]);
  });
});

it('makeWalk does without WebAssembly where there is no room for it', () => {
  const Memory = function () {
    throw new RangeError('could not allocate memory');
  };
  vi.stubGlobal('WebAssembly', { Memory });
  onTestFinished(() => void vi.unstubAllGlobals());
  expect(walkOver(makeWalk(COUNTING, 100), 'xa\n')).toEqual([2, 1]);
});

describe('makeQuickWalk', () => {
  it('finds what makeSlowWalk finds, with any automaton', () => {
    const states = 7;
    const automaton = fc.record({
      kinds: fc
        .uint8Array({ minLength: 256, maxLength: 256, max: 14 })
        .map((kinds) => kinds.fill(15, 10, 11)),
      lineEnd: fc.constant(15),
      table: fc.int32Array({ minLength: 16 * states, maxLength: 16 * states, min: 0, max: states - 1 }),
      first: fc.nat(states - 1),
    });
    const lines = fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1 });
    fc.assert(
      fc.property(automaton, lines, (some, parts) => {
        expectAgreement(some, Uint8Array.from(parts.flatMap((part) => [...part, 0x0a])));
      }),
      { seed: 4246, numRuns: 300 },
    );
  });

  it('finds what makeSlowWalk finds, with the automaton of user IDs', () => {
    const automaton = makeUserIdAutomaton();
    const near = fc.string({
      unit: fc.constantFrom(...'@@::..--azAZ09_[]"é \n'),
      minLength: 1,
      maxLength: 200,
    });
    fc.assert(
      fc.property(near, (text) => expectAgreement(automaton, new TextEncoder().encode(`${text}\n`))),
      { seed: 4246, numRuns: 1000 },
    );
  });
});

function expectAgreement(automaton: Automaton, bytes: Uint8Array): void {
  const [quick, slow] = [makeQuickWalk, makeSlowWalk].map((make) =>
    walkOver(make(automaton, bytes.length), bytes),
  );
  expect(quick).toEqual(slow);
}

function walkOver(walk: Walk, lines: string | Uint8Array): number[] {
  const bytes = typeof lines === 'string' ? new TextEncoder().encode(lines) : lines;
  walk.input.set(bytes);
  const count = walk.walk(bytes.length);
  return [...walk.found.subarray(0, 2 * count)];
}
