/** `reply:JSON`: always the same content. */
import type { JsonText } from '../wire/json.js';
import type { Handler } from './handler.js';

export function createReply(content: JsonText): Handler {
  return async ({ type }) => ({ type, content });
}
