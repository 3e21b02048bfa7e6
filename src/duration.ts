/** Durations as people write them: `500ms`, `5s`, `2m`, `1h`; a bare number is seconds. And rates: `10/s`. */
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

/**
 * @returns how often in a second, above 0
 * @throws InvalidInputError when it is no rate; `at` is the flag's name
 */
export function parseRatePerSecond(text: string, flag: string): number {
  const perSecond = Number(RATE.exec(text)?.[1]);
  if (perSecond > 0) return perSecond;
  throw new InvalidInputError(`${flag}: '${text}' is no rate`, { at: flag, hint: 'write it like 10/s' });
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/;
const RATE = /^(\d+(?:\.\d+)?)\/s$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
