/** The table. */
import type { Limits } from './render-table.js';
import type { Row } from './row.js';
import { LATENCY } from './rows/latency.js';
import { MANY_MESSAGES } from './rows/many-messages.js';
import { SERVING } from './rows/serving.js';
import { START_UP } from './rows/start-up.js';
import { VALIDATION } from './rows/validation.js';

export const ROWS: readonly Row[] = [...START_UP, ...MANY_MESSAGES, ...LATENCY, ...VALIDATION, ...SERVING];
/** What keeps each from its reach, where that is known. */
export const LIMITS: Limits = new Map(ROWS.map(({ id, limit }) => [id, limit]));
