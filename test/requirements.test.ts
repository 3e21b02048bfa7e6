/** docs/requirements-tested.md agrees with docs/requirements.md, and with the titles of the tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  parseRequirements,
  parseTestedPage,
  renderTestedPage,
  requirementsIn,
  requirementsInSource,
} from './kit/requirement-table.js';

const top = new URL('../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, top), 'utf8');
const requirements = parseRequirements(read('docs/requirements.md'));
const rows = parseTestedPage(read('docs/requirements-tested.md'));

/** Requirement → the test files whose titles name it; those that need other programs are not counted. */
function filesByRequirement(): ReadonlyMap<string, readonly string[]> {
  const files = readdirSync(new URL('test', top), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') && !name.startsWith('interop/'))
    .map((name) => `test/${name}`)
    .sort();
  const found = new Map<string, string[]>();
  for (const file of files) {
    for (const id of requirementsInSource(file, read(file))) found.set(id, [...(found.get(id) ?? []), file]);
  }
  return found;
}

describe('the requirements', () => {
  it('are numbered without a gap', () => {
    expect(requirements.map(({ id }) => id)).toEqual(
      requirements.map((_each, index) => `R-${String(index + 1)}`),
    );
    expect(requirements).toHaveLength(37);
  });

  const files = filesByRequirement();

  it.each(requirements)('$id is on the page, with tests that name it', ({ id, level, text }) => {
    const row = rows.find((each) => each.id === id);
    expect(row).toMatchObject({ level, text, verdict: 'pass' });
    expect(row?.files).not.toEqual([]);
    expect(files.get(id)).toEqual(expect.arrayContaining([...(row?.files ?? [])]));
  });

  it('are all that tests name', () => {
    const known = requirements.map(({ id }) => id);
    expect([...files.keys()].filter((id) => !known.includes(id))).toEqual([]);
  });
});

describe('the page', () => {
  const [first = { id: 'R-1', level: 'MUST', text: '`a|b`' }] = requirements;
  const verdict = (
    title: string,
    state: 'passed' | 'failed' | 'skipped' = 'passed',
    file = 'test/a.test.ts',
  ) => ({
    file,
    title,
    state,
  });

  it.each([
    [
      'pass',
      [verdict('R-1: a'), verdict('b (R-1)', 'passed', 'test/b.test.ts')],
      ['test/a.test.ts', 'test/b.test.ts'],
    ],
    ['**fail**', [verdict('R-1: a'), verdict('R-1: b', 'failed')], ['test/a.test.ts']],
    ['not run', [verdict('R-1: a'), verdict('R-1: b', 'skipped')], ['test/a.test.ts']],
    ['no test', [verdict('R-10: a'), verdict('xR-1: a')], []],
  ])('says %s', (word, verdicts, files) => {
    expect(parseTestedPage(renderTestedPage([first], verdicts))).toEqual([
      { ...first, verdict: word, files },
    ]);
  });
});

describe('a title', () => {
  it('names requirements by their number', () => {
    expect(requirementsIn('R-1, R-10: of R-1 (R-2)')).toEqual(['R-1', 'R-10', 'R-2']);
    expect(requirementsIn('XR-1 R-x R1')).toEqual([]);
  });

  it('is the first argument of a test, however it is called', () => {
    const source = `
      // R-1
      const text = 'R-2';
      describe('R-3', () => { it("R-4", () => { expect('R-5').toBe('R-6'); }); });
      it.each([['R-7']])('%s R-8', () => {});
      describe.runIf(true)(\`R-9 \${text}\`, () => {});
      test.each\`a\`('R-10', () => {});
      other('R-11');`;
    expect([...requirementsInSource('x.test.ts', source)]).toEqual(['R-3', 'R-4', 'R-8', 'R-9', 'R-10']);
  });
});
