/** Whether two JSON values are the same, without rounding a number on the way. */
import { withoutFinalZeros } from './canonical-json.js';
import { member, type JsonNode, type JsonObject } from './json.js';

/**
 * Are both the same value? Numbers are compared by what they stand for, whatever their size: `1`, `1.0` and
 * `10e-1` are equal, 9007199254740993 and 9007199254740992 are not. The order of members does not count; of two
 * with the same key the last does.
 */
export function equalJson(a: JsonNode, b: JsonNode): boolean {
  switch (a.kind) {
    case 'null':
      return b.kind === 'null';
    case 'boolean':
      return b.kind === 'boolean' && a.value === b.value;
    case 'string':
      return b.kind === 'string' && a.value === b.value;
    case 'number':
      return b.kind === 'number' && (a.text === b.text || normalForm(a.text) === normalForm(b.text));
    case 'array':
      return (
        b.kind === 'array' &&
        a.items.length === b.items.length &&
        a.items.every((item, index) => equalItems(item, b.items[index]))
      );
    case 'object':
      return b.kind === 'object' && equalObjects(a, b);
  }
}

function equalObjects(a: JsonObject, b: JsonObject): boolean {
  const keys = keysOf(a);
  return keys.size === keysOf(b).size && [...keys].every((key) => equalItems(member(a, key), member(b, key)));
}

function equalItems(a: JsonNode | undefined, b: JsonNode | undefined): boolean {
  return a !== undefined && b !== undefined && equalJson(a, b);
}

function keysOf(node: JsonObject): Set<string> {
  return new Set(node.members.map(({ key }) => key));
}

/** Sign, digits without zeros at either end, and the power of ten: equal texts for equal numbers. */
function normalForm(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = withoutFinalZeros(digits);
  if (significant === '') return '0';
  const exponent = BigInt(power) + BigInt(digits.length - significant.length - fraction.length);
  return `${sign}${significant}e${exponent}`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(-?\d+))?$/;
