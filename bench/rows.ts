/** The table. */
import type { Row } from './row.js';
import { START_UP } from './rows/start-up.js';

export const ROWS: readonly Row[] = [...START_UP];
