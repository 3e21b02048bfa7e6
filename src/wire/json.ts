/**
 * A JSON document as a tree that loses nothing: numbers keep their text, members keep their order and
 * their repeats, strings keep lone surrogates.
 */
import { JsonCursor, JsonSyntaxError, type JsonText } from './json-cursor.js';

export { JsonCursor, JsonSyntaxError, compactJson, type JsonText } from './json-cursor.js';

/** A JSON value. */
export type JsonNode =
  | { readonly kind: 'null' }
  | { readonly kind: 'boolean'; readonly value: boolean }
  /** `text` is the number as written: `1e3`, `9007199254740993`, `-0`. */
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | JsonObject;

export interface JsonObject {
  readonly kind: 'object';
  readonly members: readonly JsonMember[];
}

export interface JsonMember {
  readonly key: string;
  readonly value: JsonNode;
}

/** Levels of nesting beyond which a document is refused, before recursion could exhaust the stack. */
export const MAX_DEPTH = 100;

/**
 * Parses one JSON value.
 * @throws JsonSyntaxError when the text is not JSON, or nests deeper than `maxDepth`
 */
export function parseJson(text: string, maxDepth = MAX_DEPTH): JsonNode {
  const cursor = new JsonCursor(text);
  const node = readNode(cursor, maxDepth);
  cursor.end();
  return node;
}

/** The value of the last member called `key` (what `JSON.parse` would keep), or undefined. */
export function member(node: JsonNode | undefined, key: string): JsonNode | undefined {
  if (node?.kind !== 'object') return undefined;
  return node.members.findLast((each) => each.key === key)?.value;
}

/** The string at `key`, or undefined when there is none or it is no string. */
export function stringMember(node: JsonNode | undefined, key: string): string | undefined {
  const value = member(node, key);
  return value?.kind === 'string' ? value.value : undefined;
}

/** The number at `key` as JavaScript rounds it, or undefined when there is none or it is no number. */
export function numberMember(node: JsonNode | undefined, key: string): number | undefined {
  const value = member(node, key);
  return value?.kind === 'number' ? Number(value.text) : undefined;
}

/** The boolean at `key`, or undefined when there is none or it is no boolean. */
export function booleanMember(node: JsonNode | undefined, key: string): boolean | undefined {
  const value = member(node, key);
  return value?.kind === 'boolean' ? value.value : undefined;
}

/** Writes a tree on one line, each number as it was written. A lone surrogate becomes its `\uXXXX` escape. */
export function encodeJson(node: JsonNode): JsonText {
  return encode(node) as JsonText;
}

/** Any plain JavaScript value as JSON text, as `JSON.stringify` writes it. */
export function jsonTextOf(value: object | string | number | boolean | null): JsonText {
  return JSON.stringify(value) as JsonText;
}

/** The tree as plain JavaScript values; numbers are rounded, objects have no prototype, the last of equal keys wins. */
export function plainValue(node: JsonNode): unknown {
  switch (node.kind) {
    case 'null':
      return null;
    case 'number':
      return Number(node.text);
    case 'boolean':
    case 'string':
      return node.value;
    case 'array':
      return node.items.map(plainValue);
    case 'object': {
      const object = Object.create(null) as Record<string, unknown>;
      for (const { key, value } of node.members) object[key] = plainValue(value);
      return object;
    }
  }
}

function encode(node: JsonNode): string {
  switch (node.kind) {
    case 'null':
      return 'null';
    case 'boolean':
      return node.value ? 'true' : 'false';
    case 'number':
      return node.text;
    case 'string':
      return JSON.stringify(node.value);
    case 'array':
      return `[${node.items.map(encode).join(',')}]`;
    case 'object':
      return `{${node.members.map(({ key, value }) => `${JSON.stringify(key)}:${encode(value)}`).join(',')}}`;
  }
}

function readNode(cursor: JsonCursor, levelsLeft: number): JsonNode {
  switch (cursor.kind()) {
    case 'null':
      cursor.literal();
      return { kind: 'null' };
    case 'boolean':
      return { kind: 'boolean', value: cursor.literal() === true };
    case 'number':
      return { kind: 'number', text: cursor.number() };
    case 'string':
      return { kind: 'string', value: cursor.string() };
    case 'array': {
      guardDepth(cursor, levelsLeft);
      const items: JsonNode[] = [];
      cursor.array(() => items.push(readNode(cursor, levelsLeft - 1)));
      return { kind: 'array', items };
    }
    case 'object': {
      guardDepth(cursor, levelsLeft);
      const members: JsonMember[] = [];
      cursor.object((key) => members.push({ key, value: readNode(cursor, levelsLeft - 1) }));
      return { kind: 'object', members };
    }
  }
}

function guardDepth(cursor: JsonCursor, levelsLeft: number): void {
  if (levelsLeft <= 0) throw new JsonSyntaxError(cursor.offset, 'nested too deeply');
}
