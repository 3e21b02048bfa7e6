/** Reading a 2xx answer: what every endpoint's parser begins with. */
import { MalformedResponseError } from '../errors.js';
import { strikeSecrets } from '../http/trace.js';
import { parseUserId, type UserId } from '../ids/user-id.js';
import { parseJson, stringMember, type JsonObject } from '../wire/json.js';
import type { ApiAnswer } from './api.js';

/** Where an answer came from. */
export type Place = Pick<ApiAnswer, 'method' | 'url'>;

/** Names a call in errors: `GET https://…/whoami`. */
export function placeOf({ method, url }: Place): string {
  return `${method} ${url}`;
}

/** @throws MalformedResponseError when the body is no JSON object */
export function parseAnswer(answer: ApiAnswer): JsonObject {
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
export function requiredString(answer: Place, root: JsonObject, key: string): string {
  const value = stringMember(root, key);
  if (value === undefined || value === '') throw malformedAnswer(answer, `a string ${key}`);
  return value;
}

/**
 * The `user_id`. Old accounts keep old user IDs, so the historical grammar holds.
 * @throws MalformedResponseError when it is missing or no user ID
 */
export function requiredUserId(answer: Place, root: JsonObject): UserId {
  try {
    return parseUserId(requiredString(answer, root, 'user_id'), 'historical');
  } catch (cause) {
    throw malformedAnswer(answer, 'a valid user_id', cause);
  }
}

/**
 * The `device_id`, which is shown and stored; undefined when there is none.
 * @throws MalformedResponseError when it holds a secret: one that was sent, or one of `more`
 */
export function optionalDeviceId(
  answer: ApiAnswer,
  root: JsonObject,
  more: readonly string[] = [],
): string | undefined {
  const deviceId = stringMember(root, 'device_id');
  if (deviceId === undefined) return undefined;
  const shown = strikeSecrets(deviceId, [...(answer.secrets ?? []), ...more]);
  if (shown !== deviceId) throw malformedAnswer(answer, 'a device_id without a secret in it');
  return deviceId;
}

/** The error for an answer that lacks what the specification promises. */
export function malformedAnswer(answer: Place, expected: string, cause?: unknown): MalformedResponseError {
  const at = placeOf(answer);
  return new MalformedResponseError(expected, at, `${at}: the answer is not ${expected}`, {
    hint: 'is this a Matrix homeserver?',
    cause,
  });
}
