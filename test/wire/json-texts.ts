/** JSON texts, and texts that are nearly JSON, for property tests. */
import fc from 'fast-check';

/** Valid JSON with white space, escapes, repeated keys and numbers in every form. */
export function jsonText(): fc.Arbitrary<string> {
  const space = fc.constantFrom('', '', ' ', '\n', '\t \r\n');
  const { value } = fc.letrec<{ value: string }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('null', 'true', 'false', '{}', '[]', '""'),
      numberText(),
      stringText(),
      fc.array(spaced(tie('value'))).map((items) => `[${items.join(',')}]`),
      fc
        .array(fc.tuple(spaced(keyText()), spaced(tie('value'))))
        .map((members) => `{${members.map(([key, item]) => `${key}:${item}`).join(',')}}`),
    ),
  }));
  function spaced(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
    return fc.tuple(space, text, space).map((parts) => parts.join(''));
  }
  return spaced(value);
}

/** Numbers in every form that JSON allows, also beyond what JavaScript can hold. */
export function numberText(): fc.Arbitrary<string> {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 25 });
  return fc
    .tuple(
      fc.constantFrom('', '-'),
      digits.map((text) => text.replace(/^0+(?=\d)/, '')),
      fc.option(
        digits.map((text) => `.${text}`),
        { nil: '' },
      ),
      fc.option(
        fc
          .tuple(fc.constantFrom('e', 'E', 'e+', 'E-'), fc.integer({ min: 0, max: 30 }))
          .map((parts) => parts.join('')),
        { nil: '' },
      ),
    )
    .map((parts) => parts.join(''));
}

/** Texts one or two edits away from JSON, and noise made of JSON's own characters. */
export function almostJson(): fc.Arbitrary<string> {
  const noise = fc.string({
    unit: fc.constantFrom(...'{}[]",:\\u/0019.eE+-tfnrl \n\t\u0001日', 'true', 'null'),
  });
  const edit = fc.tuple(fc.nat(), fc.nat({ max: 2 }), noise);
  const edited = fc.tuple(jsonText(), fc.array(edit, { maxLength: 2 })).map(([text, edits]) =>
    edits.reduce((current, [position, removed, added]) => {
      const at = position % (current.length + 1);
      return current.slice(0, at) + added.slice(0, 2) + current.slice(at + removed);
    }, text),
  );
  return fc.oneof(noise, edited);
}

function stringText(): fc.Arbitrary<string> {
  const character = fc.oneof(
    fc
      .string({ unit: 'binary', minLength: 1, maxLength: 1 })
      .map((text) => JSON.stringify(text).slice(1, -1)),
    fc.constantFrom(
      '\\/',
      '\\b',
      '\\f',
      '\\n',
      '\\r',
      '\\t',
      '\\"',
      '\\\\',
      '\\u0041',
      '\\uD83D',
      '\\ude00',
      ' ',
    ),
  );
  return fc.array(character).map((characters) => `"${characters.join('')}"`);
}

/** Few names, so that they repeat. */
function keyText(): fc.Arbitrary<string> {
  return fc.oneof(fc.constantFrom('"a"', '"b"', '"10"', '"9"', '"__proto__"', '"\\u0061"'), stringText());
}
