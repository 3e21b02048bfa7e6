/**
 * JSON Schema (draft 2020-12) in the few forms that our output needs.
 *
 * Objects are open: fields may be added to our output, and a reader has to ignore what it does not know.
 */

/** A schema, or a part of one, ready for `JSON.stringify`. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The members of `Shape`, each with its schema; an optional one is called `name?`, as in the documentation. */
export type Members<Shape> = {
  readonly [
    Key in keyof Shape & string as Partial<Pick<Shape, Key>> extends Pick<Shape, Key> ? `${Key}?` : Key
  ]: JsonSchema;
};

/** An object. Give the type that it has in the code: a member that is renamed there no longer compiles here. */
export function object<Shape>(members: Members<Shape>, description?: string): JsonSchema {
  const entries = Object.entries<JsonSchema>(members);
  return {
    type: 'object',
    ...described(description),
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    required: entries.map(([name]) => name).filter((name) => !name.endsWith('?')),
  };
}

/** A string. */
export function text(description?: string): JsonSchema {
  return { type: 'string', ...described(description) };
}

/** A whole number. */
export function count(minimum: number, description?: string): JsonSchema {
  return { type: 'integer', minimum, ...described(description) };
}

/** A number, not below zero. */
export function measure(description?: string): JsonSchema {
  return { type: 'number', minimum: 0, ...described(description) };
}

/** A boolean. */
export function truth(description?: string): JsonSchema {
  return { type: 'boolean', ...described(description) };
}

/** One of a closed list. */
export function word(words: readonly string[], description?: string): JsonSchema {
  return { enum: words, ...described(description) };
}

/** One value and no other. */
export function constant(value: string | number | boolean): JsonSchema {
  return { const: value };
}

/** An array of any length. */
export function list(items: JsonSchema, description?: string): JsonSchema {
  return { type: 'array', items, ...described(description) };
}

/** What the schema describes, or `null`. */
export function orNull(schema: JsonSchema): JsonSchema {
  return { anyOf: [schema, { type: 'null' }] };
}

/** Any value. */
export function anything(description: string): JsonSchema {
  return { description };
}

function described(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description };
}
