/** Durations as people write them: `500ms`, `5s`, `2m`, `1h`; a bare number is seconds. */
import { InvalidInputError } from './errors.js';

/**
 * @returns milliseconds, a whole number
 * @throws InvalidInputError when it is no duration; `at` is the flag's name
 */
export function parseDurationMs(text: string, flag: string): number {
  const match = DURATION.exec(text);
  const amount = Number(match?.[1]);
  const unitMs = UNIT_MS[match?.[2] ?? 's'];
  if (match === null || unitMs === undefined || !Number.isFinite(amount)) {
    throw new InvalidInputError(`${flag}: '${text}' is no duration`, {
      at: flag,
      hint: 'write it like 500ms, 5s, 2m or 1h; a bare number is seconds',
    });
  }
  return Math.round(amount * unitMs);
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
