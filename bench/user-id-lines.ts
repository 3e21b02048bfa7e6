/** User IDs to be validated, always the same ones. Pure. */

/**
 * `count` lines: 30 in 100 are server users, 50 are ordinary, and the others are historical or not valid, in many ways.
 */
export function userIdLines(count: number): string {
  const chance = chanceFrom(SEED);
  const lines: string[] = [];
  while (lines.length < count) lines.push(userIdLine(chance));
  return `${lines.join('\n')}\n`;
}

function userIdLine(chance: Chance): string {
  const kind = chance();
  const domain = word(chance, DOMAIN_CHARACTERS, 3 + below(chance, 12)) + pick(chance, DOMAIN_ENDS);
  if (kind < 0.3) return `@:${domain}`;
  if (kind < 0.8) return `@${word(chance, LOCALPART_CHARACTERS, 1 + below(chance, 24))}:${domain}`;
  if (kind < 0.85) return `@${word(chance, LOCALPART_CHARACTERS, 8).toUpperCase()}:${domain}`;
  if (kind < 0.9) return `@${word(chance, LOCALPART_CHARACTERS, 8)}:${domain}_x`;
  if (kind < 0.93) return `@é${word(chance, LOCALPART_CHARACTERS, 6)}:${domain}`;
  if (kind < 0.96) return `${word(chance, LOCALPART_CHARACTERS, 8)}:${domain}`;
  if (kind < 0.98) return `@${word(chance, LOCALPART_CHARACTERS, 300)}:${domain}`;
  return pick(chance, ODD_ONES);
}

/** A number from 0 up to 1. */
type Chance = () => number;

/** The generator mulberry32: short, and good enough for this. */
function chanceFrom(seed: number): Chance {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function word(chance: Chance, characters: string, length: number): string {
  let text = '';
  while (text.length < length) text += characters[below(chance, characters.length)] ?? '';
  return text;
}

function pick(chance: Chance, choices: readonly string[]): string {
  return choices[below(chance, choices.length)] ?? '';
}

function below(chance: Chance, limit: number): number {
  return Math.floor(chance() * limit);
}

const SEED = 4246;
const LOCALPART_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789._=-/+';
const DOMAIN_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-';
const DOMAIN_ENDS = ['.org', '.example.com', '.net', ':8448', '.de:443'];
const ODD_ONES = ['@', '', '@:', '@a:', '@a:b:c', '@a:[::1]:8448', '@a:[::g]', '@a:example.org:99999'];
