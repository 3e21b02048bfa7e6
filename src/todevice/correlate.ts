/**
 * Which event is the answer to a message. Nothing in a to-device event names the message that it answers, so
 * the sender, the type and agreed members of the content have to do.
 */
import { InvalidInputError } from '../errors.js';
import type { UserId } from '../ids/user-id.js';
import { equalJson } from '../wire/json-equal.js';
import { JsonSyntaxError, parseJson, type JsonNode } from '../wire/json.js';
import { parseJsonPointer, resolveJsonPointer, type JsonPointer } from '../wire/json-pointer.js';
import type { ToDeviceEvent } from '../wire/sync.js';
import type { Glob } from './glob.js';

/** What an event must be to count as an answer. */
export interface AnswerRule {
  /** Whom the message went to: nobody else can answer. */
  readonly from: UserId;
  readonly type: Glob;
  /** All of them must hold. */
  readonly matches: readonly ContentMatch[];
}

/** The value at `pointer` in the content equals `value`; numbers are compared without rounding. */
export interface ContentMatch {
  readonly pointer: JsonPointer;
  readonly value: JsonNode;
}

/** Is `event` an answer? Never throws, whatever the event holds. */
export function isAnswer(event: ToDeviceEvent, { from, type, matches }: AnswerRule): boolean {
  if (event.sender !== from || !type(event.type ?? '')) return false;
  if (matches.length === 0) return true;
  const content = parseOrUndefined(event.content);
  return content !== undefined && matches.every((match) => holds(content, match));
}

/**
 * Reads `POINTER=VALUE`: a JSON pointer up to the first `=`, then a value that is read as JSON where it is JSON,
 * else as a string.
 *
 * @throws InvalidInputError with `reason` `match`
 */
export function parseContentMatch(text: string): ContentMatch {
  const equals = text.indexOf('=');
  const pointer = equals === -1 ? undefined : parseJsonPointer(text.slice(0, equals));
  if (pointer === undefined) {
    throw new InvalidInputError(`${JSON.stringify(text)} is not POINTER=VALUE`, {
      reason: 'match',
      hint: 'write a JSON pointer and a value, for example /nonce=abc or /result/code=0',
    });
  }
  const value = text.slice(equals + 1);
  return { pointer, value: parseOrUndefined(value) ?? { kind: 'string', value } };
}

function holds(content: JsonNode, { pointer, value }: ContentMatch): boolean {
  const found = resolveJsonPointer(content, pointer);
  return found !== undefined && equalJson(found, value);
}

/** Content that nests too deeply to be read is no answer that anybody asked for. */
function parseOrUndefined(text: string): JsonNode | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}
