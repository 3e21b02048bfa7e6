/** Reading a 2xx answer: what every endpoint's parser begins with. */
import { MalformedResponseError } from '../errors.js';
import { parseJson, stringMember, type JsonObject } from '../wire/json.js';
import type { ApiAnswer } from './api.js';

/** Names a call in errors: `GET https://…/whoami`. */
export function placeOf({ method, url }: Pick<ApiAnswer, 'method' | 'url'>): string {
  return `${method} ${url}`;
}

/** @throws MalformedResponseError when the body is no JSON object */
export function parseAnswer(answer: Pick<ApiAnswer, 'method' | 'url' | 'body'>): JsonObject {
  let cause: unknown;
  try {
    const root = parseJson(answer.body);
    if (root.kind === 'object') return root;
  } catch (error) {
    cause = error;
  }
  throw malformedAnswer(answer, 'a JSON object', cause);
}

/** @throws MalformedResponseError when `key` is missing, empty or no string */
export function requiredString(
  answer: Pick<ApiAnswer, 'method' | 'url' | 'body'>,
  root: JsonObject,
  key: string,
): string {
  const value = stringMember(root, key);
  if (value === undefined || value === '') throw malformedAnswer(answer, `a string ${key}`);
  return value;
}

/** The error for an answer that lacks what the specification promises. */
export function malformedAnswer(
  answer: Pick<ApiAnswer, 'method' | 'url'>,
  expected: string,
  cause?: unknown,
): MalformedResponseError {
  const at = placeOf(answer);
  return new MalformedResponseError(expected, at, `${at}: the answer is not ${expected}`, {
    hint: 'is this a Matrix homeserver?',
    cause,
  });
}
