/**
 * Canonical JSON: the one way to write a JSON value, for sizes and signatures.
 *
 * Keys sorted by code point, integers only, shortest escapes, no white space.
 * @see Matrix v1.19, Appendices, "Canonical JSON"
 */
import type { JsonNode, JsonMember, JsonText } from './json.js';

/** Why a value has no canonical form. */
export type CanonicalReason = 'fraction' | 'integer_range' | 'lone_surrogate' | 'duplicate_key';

/** `at` is the JSON pointer (RFC 6901) of the offending value; empty for the whole document. */
export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError';
  readonly reason: CanonicalReason;
  readonly at: string;

  constructor(reason: CanonicalReason, at: string, message: string) {
    super(message);
    this.reason = reason;
    this.at = at;
  }
}

/**
 * Writes `node` canonically. Any number of integer value is written as that integer: `1.0`, `1e3` and `-0`
 * become `1`, `1000` and `0` (the appendix accepts them on input).
 *
 * @throws CanonicalJsonError for a fraction, an integer outside ±(2^53-1), a lone surrogate, a repeated key
 */
export function canonicalJson(node: JsonNode): JsonText {
  return write(node) as JsonText;
}

/** Orders strings by Unicode code point; `<` orders by UTF-16 code unit, which puts U+1F600 before U+FB01. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) {
      const leftAstral = isSurrogate(left);
      return leftAstral === isSurrogate(right) ? left - right : leftAstral ? 1 : -1;
    }
  }
  return a.length - b.length;
}

function write(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return node.value ? 'true' : 'false';
    case 'number':
      return writeInteger(node.text);
    case 'string':
      return writeString(node.value);
    case 'array':
      return `[${node.items.map(writeItem).join(',')}]`;
    case 'object':
      return writeObject(node.members);
  }
}

function writeObject(members: readonly JsonMember[]): string {
  let text = '';
  let previous: string | undefined;
  for (const { key, value } of inOrder(members)) {
    if (key === previous) {
      throw new CanonicalJsonError(
        'duplicate_key',
        `/${pointerToken(key)}`,
        `the key ${JSON.stringify(key)} stands twice in one object`,
      );
    }
    try {
      text += `${previous === undefined ? '' : ','}${writeString(key)}:${write(value)}`;
    } catch (error) {
      throw below(key, error);
    }
    previous = key;
  }
  return `{${text}}`;
}

/** Most objects are in order as they come. */
function inOrder(members: readonly JsonMember[]): readonly JsonMember[] {
  const isInOrder = members.every(
    ({ key }, index) => index === 0 || compareCodePoints(members[index - 1]?.key ?? '', key) < 0,
  );
  return isInOrder ? members : [...members].sort((a, b) => compareCodePoints(a.key, b.key));
}

function writeItem(item: JsonNode, index: number): string {
  try {
    return write(item);
  } catch (error) {
    throw below(String(index), error);
  }
}

/** The same error, seen from the object or array around it. Nothing but an error needs to know where it is. */
function below(token: string, error: unknown): unknown {
  if (!(error instanceof CanonicalJsonError)) return error;
  return new CanonicalJsonError(error.reason, `/${pointerToken(token)}${error.at}`, error.message);
}

// JSON.stringify escapes exactly what the appendix lists (\b \t \n \f \r \" \\ and \u00xx in lower case) and,
// beyond that, only lone surrogates, which are refused here.
function writeString(value: string): string {
  if (!value.isWellFormed()) {
    throw new CanonicalJsonError(
      'lone_surrogate',
      '',
      'a string holds half of a surrogate pair, which UTF-8 cannot carry',
    );
  }
  return JSON.stringify(value);
}

function writeInteger(text: string): string {
  const integer = integerOf(text);
  if (integer === 'fraction') {
    throw new CanonicalJsonError('fraction', '', `the number ${shorten(text)} is not an integer`);
  }
  if (integer === 'integer_range') {
    throw new CanonicalJsonError('integer_range', '', `the number ${shorten(text)} is outside ±(2^53-1)`);
  }
  return integer;
}

/** The integer that a JSON number stands for, without going through floating point. */
function integerOf(text: string): string | 'fraction' | 'integer_range' {
  const match = NUMBER_PARTS.exec(text);
  if (match === null) return 'fraction';
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  if (digits === '') return '0';
  const significant = withoutFinalZeros(digits);
  // value = significant × 10^shift
  const shift = Number(exponentText) - fraction.length + (digits.length - significant.length);
  if (shift < 0) return 'fraction';
  if (significant.length + shift > MAX_SAFE_DIGITS) return 'integer_range';
  const magnitude = significant + '0'.repeat(shift);
  return Number.isSafeInteger(Number(magnitude)) ? sign + magnitude : 'integer_range';
}

/** `digits` up to the last that is no zero. By hand: `/0+$/` takes quadratic time for zeros that are not at the end. */
export function withoutFinalZeros(digits: string): string {
  let length = digits.length;
  while (digits.endsWith('0', length)) length -= 1;
  return digits.slice(0, length);
}

/** One reference token of a JSON pointer (RFC 6901 section 3). */
export function pointerToken(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdfff;
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 37)}…`;
}

const NUMBER_PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;
const MAX_SAFE_DIGITS = String(Number.MAX_SAFE_INTEGER).length;
