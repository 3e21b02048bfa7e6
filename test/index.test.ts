import { expect, it } from 'vitest';
import * as library from '../src/index.js';

it('the library can tell a server user and build a message for it', () => {
  const recipient = library.parseRecipient('@:example.org');
  const content = library.parseContent('{"n":1.0}');
  expect(library.isServerUser(recipient.to)).toBe(true);
  expect(library.encodeMessages(recipient, content)).toBe('{"@:example.org":{"":{"n":1}}}');
});

it('the library throws errors that say what, where and what next', () => {
  const failure = catchError(() => library.parseContent('{"a":{"b":1.5}}'));
  expect(failure).toBeInstanceOf(library.InvalidInputError);
  expect(failure).toMatchObject({ code: 'invalid_input', reason: 'fraction', at: '/a/b' });
});

function catchError(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}
