import { describe, expect, it } from 'vitest';
import { gradeDeviceId } from '../../src/ids/device-id.js';
import { gradeServerName } from '../../src/ids/server-name.js';
import { gradeUserId } from '../../src/ids/user-id.js';
import { ID_REASONS, ID_WARNINGS, type Grammar, type IdVerdict } from '../../src/ids/verdict.js';
import { parseVectors, readVectors } from './vector-file.js';

const codes = Object.keys(ID_REASONS);
const warnings = Object.keys(ID_WARNINGS);
const userGrades = {
  strict: ['valid', ...codes],
  historical: ['compliant', 'non-compliant', ...codes],
  msc4246: ['valid', 'server', ...codes],
  warnings,
};
const deviceGrades = {
  strict: ['valid', ...codes],
  historical: ['valid', ...codes],
  msc4246: ['valid', 'server', ...codes],
};

describe.each(['ids/user-ids.json', 'ids/user-id-order.json'])('%s', (path) => {
  it.each(readVectors(path, userGrades))('$name', ({ input, expect: expected }) => {
    expect(wordsFor(gradeUserId(input))).toEqual(expected);
  });
});

describe('ids/server-names.json', () => {
  it.each(readVectors('ids/server-names.json', { verdict: ['valid', ...codes], warnings }))(
    '$name',
    ({ input, expect: expected }) => {
      const { strict, historical, msc4246, ...rest } = wordsFor(gradeServerName(input));
      expect({ verdict: strict, ...rest }).toEqual(expected);
      expect([historical, msc4246]).toEqual([strict, strict === 'valid' ? 'server' : strict]);
    },
  );
});

describe('ids/device-ids.json', () => {
  it.each(readVectors('ids/device-ids.json', deviceGrades))('$name', ({ input, expect: expected }) => {
    expect(wordsFor(gradeDeviceId(input))).toEqual(expected);
  });
});

describe('the vector files', () => {
  it('show every code and every warning that an identifier can earn by itself', () => {
    const seen = [
      ...readVectors('ids/user-ids.json', userGrades),
      ...readVectors('ids/server-names.json', { verdict: ['valid', ...codes], warnings }),
      ...readVectors('ids/device-ids.json', deviceGrades),
    ].flatMap((each) => Object.values(each.expect).flat());
    const byTheCommand = ['E_NOT_SERVER', 'E_UTF8'];
    expect([...codes, ...warnings].filter((word) => !seen.includes(word))).toEqual(byTheCommand);
  });

  it.each([
    ['an unknown key in the file', { title: 't', spec: 's', cases: [], extra: 1 }, 'unknown key extra'],
    ['no cases', { title: 't', spec: 's', cases: [] }, 'no cases'],
    ['an unknown key in a case', fileOf({ note: 'x' }), 'unknown key note'],
    ['an unknown expectation', fileOf({ expect: { lenient: 'valid' } }), 'unknown key lenient'],
    ['an unknown verdict', fileOf({ expect: { strict: 'fine' } }), 'unknown value fine'],
    ['an input that is neither form', fileOf({ input: { utf8: '40' } }), 'unknown key utf8'],
    ['code units that are none', fileOf({ input: { utf16: 'd8' } }), 'odd code units'],
    ['a case without a reason', fileOf({ why: '' }), 'why of one is no text'],
    ['a name twice', { ...fileOf({}), cases: [caseOf({}), caseOf({})] }, 'two cases'],
  ])('are refused for %s', (_name, document, message) => {
    expect(() => parseVectors(document, { strict: ['valid'] })).toThrow(message);
  });
});

function caseOf(change: object): object {
  return { name: 'one', input: 'x', expect: { strict: 'valid' }, why: 'because', ...change };
}

function fileOf(change: object): object {
  return { title: 't', spec: 's', cases: [caseOf(change)] };
}

/** A verdict in the words of the vector files. */
function wordsFor(verdict: IdVerdict): Record<string, string | readonly string[]> {
  return {
    strict: wordFor(verdict, 'strict'),
    historical: wordFor(verdict, 'historical'),
    msc4246: wordFor(verdict, 'msc4246'),
    ...(verdict.warnings.length === 0 ? {} : { warnings: verdict.warnings }),
  };
}

function wordFor(verdict: IdVerdict, grammar: Grammar): string {
  const grade = verdict.grammars[grammar];
  if (!grade.valid) return grade.code;
  if (grade.compliant !== undefined) return grade.compliant ? 'compliant' : 'non-compliant';
  return grammar === 'msc4246' && verdict.isServer ? 'server' : 'valid';
}
