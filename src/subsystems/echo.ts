/** `echo`: the same type, the same content. */
import type { Handler } from './handler.js';

export const echo: Handler = async ({ type, content }) => ({ type, content });
