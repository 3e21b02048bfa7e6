/**
 * Identifiers to be validated, always the same ones: most are valid, and those that are not are so in many ways. Pure.
 */

/** What the identifiers are taken for. */
export type IdentifierKind = 'user' | 'server' | 'device';

/**
 * `count` lines, one identifier each, in portions. Some ten thousand of them are made, or `different` ones, and come again
 * and again: so they take little memory, and giving them takes next to no time.
 */
export function identifierLines(kind: IdentifierKind, count: number, different = MADE): Iterable<Uint8Array> {
  const chance = chanceFrom(SEED);
  const made = Math.min(count, different);
  const lines = Array.from({ length: made }, () => `${MAKERS[kind](chance)}\n`);
  const encoder = new TextEncoder();
  const whole = portionsOf(encoder.encode(lines.join('')));
  const rest = portionsOf(encoder.encode(lines.slice(0, count % made).join('')));
  return repeated(whole, Math.floor(count / made), rest);
}

function* repeated(
  whole: readonly Uint8Array[],
  times: number,
  rest: readonly Uint8Array[],
): Generator<Uint8Array> {
  for (let time = 0; time < times; time += 1) yield* whole;
  yield* rest;
}

/** As stdin gives them: a portion ends anywhere in a line. */
function portionsOf(bytes: Uint8Array): Uint8Array[] {
  const portions: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += PORTION_BYTES) {
    portions.push(bytes.subarray(start, start + PORTION_BYTES));
  }
  return portions;
}

/** Of 100, 30 are server users and 50 ordinary ones; the others are historical, or not valid. */
function userId(chance: Chance): string {
  const kind = chance();
  if (kind >= 0.98) return pick(chance, ODD_USER_IDS);
  const localpart = kind < 0.3 ? '' : word(chance, LOCALPART_CHARACTERS, 1 + below(chance, 24));
  const id = `@${localpart}:${name(chance)}`;
  if (kind < 0.8) return id;
  if (kind < 0.86) return id.toUpperCase();
  if (kind < 0.9) return `${id}_x`;
  if (kind < 0.93) return id.replace('@', '@é');
  return kind < 0.96 ? id.slice(1) : `@${word(chance, LOCALPART_CHARACTERS, 255)}${id}`;
}

function serverName(chance: Chance): string {
  return chance() < 0.9 ? name(chance) : pick(chance, ODD_SERVER_NAMES);
}

function deviceId(chance: Chance): string {
  return chance() < 0.9 ? word(chance, DEVICE_CHARACTERS, 10) : pick(chance, ODD_DEVICE_IDS);
}

function name(chance: Chance): string {
  return word(chance, HOST_CHARACTERS, 3 + below(chance, 12)) + pick(chance, ENDS);
}

/** A number from 0 up to 1. */
type Chance = () => number;

/** The generator mulberry32: short, good enough for this, and the same everywhere. */
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
  return Array.from({ length }, () => characters.charAt(below(chance, characters.length))).join('');
}

function pick(chance: Chance, choices: readonly string[]): string {
  return choices[below(chance, choices.length)] ?? '';
}

function below(chance: Chance, limit: number): number {
  return Math.floor(chance() * limit);
}

const MAKERS: Readonly<Record<IdentifierKind, (chance: Chance) => string>> = {
  user: userId,
  server: serverName,
  device: deviceId,
};
const SEED = 4246;
const MADE = 10_000;
/** What a pipe gives at a time. */
const PORTION_BYTES = 65_536;
const LOCALPART_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789._=-/+';
const HOST_CHARACTERS = 'abcdefghijklmnopqrstuvwxyz0123456789-';
const DEVICE_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ENDS = ['.org', '.example.com', '.net', ':8448', '.de:443'];
const ODD_USER_IDS = ['@', '', '@:', '@a:', '@a:b:c', '@a:[::1]:8448', '@a:[::g]', '@a:example.org:99999'];
const ODD_SERVER_NAMES = [
  '',
  '[::1]',
  '[::g]',
  '1.2.3.4:8448',
  '1.2.3.256',
  'a_b',
  'example.org:99999',
  'é.org',
];
const ODD_DEVICE_IDS = ['', '*', 'a device', 'é', 'a'.repeat(300)];
