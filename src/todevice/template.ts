/** Placeholders in a payload: `{{txn_id}}` and its like, filled where they stand in a string or a key. */
import type { JsonNode } from '../wire/json.js';

/** Names without the braces → what to put there. */
export type TemplateValues = Readonly<Record<string, string>>;

/**
 * Fills the placeholders that `values` names; all else stays as it is. Works on the tree and not on the text, so
 * that no value can end the string that it stands in.
 */
export function fillTemplate(node: JsonNode, values: TemplateValues): JsonNode {
  switch (node.kind) {
    case 'string':
      return { kind: 'string', value: fill(node.value, values) };
    case 'array':
      return { kind: 'array', items: node.items.map((item) => fillTemplate(item, values)) };
    case 'object':
      return {
        kind: 'object',
        members: node.members.map(({ key, value }) => ({
          key: fill(key, values),
          value: fillTemplate(value, values),
        })),
      };
    default:
      return node;
  }
}

function fill(text: string, values: TemplateValues): string {
  return text.replace(/\{\{(\w+)\}\}/g, (placeholder, name: string) =>
    Object.hasOwn(values, name) ? (values[name] ?? placeholder) : placeholder,
  );
}
