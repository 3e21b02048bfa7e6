/**
 * The automaton that goes over the bytes of a user ID, and at the end of the line knows all that `gradeUserId` would say
 * of it but the text of its parts.
 *
 * `factsAfter` says what is known of a line when one more byte has come, from what was known before. Some four
 * hundred different things can be known, and each is a state.
 */
import { COLUMNS, type Automaton } from './table-walk.js';

export interface UserIdAutomaton extends Automaton {
  /** By state: what is known in it. */
  readonly facts: Int32Array;
}

/** Makes the automaton, with all states that can be reached. State 0 is that of lines which it cannot tell. */
export function makeUserIdAutomaton(): UserIdAutomaton {
  const facts = [UNCERTAIN, BEGIN];
  const stateOf = new Map(facts.map((known, state) => [known, state]));
  const table: number[] = [];
  for (let state = 0; state < facts.length; state += 1) {
    const before = facts[state] ?? UNCERTAIN;
    for (let kind = 0; kind < COLUMNS; kind += 1) {
      const known = factsAfter(before, kind);
      const next = stateOf.get(known) ?? facts.push(known) - 1; // a new one, if nothing else led there yet
      stateOf.set(known, next);
      table.push(next);
    }
  }
  return {
    kinds: kindsOfBytes(),
    lineEnd: LINE_END,
    table: Int32Array.from(table),
    first: 1,
    facts: Int32Array.from(facts),
  };
}

/** Are there bytes that are not ASCII? They are looked at no closer: whether they are UTF-8 is for the caller to find. */
export function isWide(facts: number): boolean {
  return (facts & WIDE) !== 0;
}

/** Are there a sigil and a colon, so that the length matters? */
export function hasBothParts(facts: number): boolean {
  const part = facts & PART;
  return part !== NO_SIGIL && part !== NO_COLON && part !== UNCERTAIN;
}

/** Is there no fault in the server name? */
export function hasServerName(facts: number): boolean {
  const part = facts & PART;
  return part === HOST || part === BEHIND_ADDRESS || part === PORT;
}

/** Is the host in brackets, or of digits and dots? Whether it is an address is still to be found. */
export function hasLiteral(facts: number): boolean {
  return (facts & LITERAL) !== 0;
}

/** Has the port five digits, so that its value matters? */
export function hasLongPort(facts: number): boolean {
  return (facts & (PART | DIGITS)) === (PORT | FIVE_DIGITS);
}

/** What is known when a byte of this kind follows. */
function factsAfter(before: number, kind: number): number {
  if (before === UNCERTAIN || kind === ESCAPED) return UNCERTAIN;
  const known = kind === NOT_ASCII ? before | WIDE : before;
  const wide = known & WIDE;
  switch (known & PART) {
    case BEGIN:
      return kind === AT_SIGN ? LOCALPART : NO_SIGIL | wide;
    case LOCALPART:
      if (kind === LINE_END) return NO_COLON | wide;
      if (kind === COLON) return HOST | wide | (known & NAME);
      return LOCALPART | wide | Math.max(known & NAME, nameWith(kind));
    case HOST:
      return afterHost(known, kind);
    case ADDRESS:
      if (kind === LINE_END) return ODD_ADDRESS | wide;
      if (kind === CLOSING_BRACKET) return BEHIND_ADDRESS | (known & (NAME | WIDE | UPPER | LITERAL));
      return kind === UPPER_CASE ? known | UPPER : known;
    case BEHIND_ADDRESS:
      if (kind === LINE_END) return known;
      return kind === COLON ? PORT | (known & ~PART) : ODD_PORT | (known & (WIDE | LITERAL));
    case PORT:
      if (kind === LINE_END) return known;
      if (kind === DIGIT && (known & DIGITS) < FIVE_DIGITS) return known + ONE_DIGIT;
      return ODD_PORT | (known & (WIDE | LITERAL));
    default:
      return known & (PART | WIDE | LITERAL); // the first fault counts
  }
}

function afterHost(known: number, kind: number): number {
  const seen = known & (NAME | WIDE | LETTER | UPPER | ODD_LABEL);
  const wide = known & WIDE;
  const label = known & LABEL;
  const literal = (known & LETTER) === 0 ? LITERAL : 0;
  const ended = label === INSIDE ? 0 : ODD_LABEL; // it is empty or ends with a hyphen
  switch (kind) {
    case DIGIT:
      return HOST | seen | INSIDE;
    case LOWER_CASE:
      return HOST | seen | INSIDE | LETTER;
    case UPPER_CASE:
      return HOST | seen | INSIDE | LETTER | UPPER;
    case HYPHEN:
      return HOST | seen | BEHIND_HYPHEN | LETTER | (label === BEHIND_HYPHEN ? 0 : ended);
    case DOT:
      return HOST | seen | BEHIND_DOT | ended;
    case COLON:
    case LINE_END:
      if (label === NOTHING_YET) return NO_HOST | wide;
      return (kind === COLON ? PORT : HOST | INSIDE) | (seen & ~LETTER) | ended | literal;
    default:
      return kind === OPENING_BRACKET && label === NOTHING_YET
        ? ADDRESS | LITERAL | (known & (NAME | WIDE))
        : ODD_HOST | wide;
  }
}

/** What a localpart with such a character is at best. */
function nameWith(kind: number): number {
  if (kind === OTHER_ASCII || kind === NOT_ASCII) return ODD_NAME;
  return STRICT_KINDS.includes(kind) ? STRICT_NAME : COMPLIANT_NAME;
}

function kindsOfBytes(): Uint8Array {
  const kinds = new Uint8Array(256);
  const set = (characters: string, kind: number): void => {
    for (let at = 0; at < characters.length; at += 1) kinds[characters.charCodeAt(at)] = kind;
  };
  kinds.fill(ESCAPED, 0, 0x20).fill(OTHER_ASCII, 0x20).fill(COMPLIANT, 0x21, 0x7f).fill(NOT_ASCII, 0x80);
  set('"\\', ESCAPED);
  set('abcdefghijklmnopqrstuvwxyz', LOWER_CASE);
  set('ABCDEFGHIJKLMNOPQRSTUVWXYZ', UPPER_CASE);
  set('0123456789', DIGIT);
  set('_=/+', STRICT_SIGN);
  set('@', AT_SIGN);
  set(':', COLON);
  set('.', DOT);
  set('-', HYPHEN);
  set('[', OPENING_BRACKET);
  set(']', CLOSING_BRACKET);
  set('\n', LINE_END);
  return kinds;
}

// The kinds of bytes, as far as the grammars tell them apart.
const AT_SIGN = 0;
const COLON = 1;
const DOT = 2;
const HYPHEN = 3;
const DIGIT = 4;
const LOWER_CASE = 5;
const UPPER_CASE = 6;
/** Others that a strict localpart may have. */
const STRICT_SIGN = 7;
const OPENING_BRACKET = 8;
const CLOSING_BRACKET = 9;
/** Others from U+0021 to U+007E. */
const COMPLIANT = 10;
/** Others that JSON writes as they are. */
const OTHER_ASCII = 11;
const NOT_ASCII = 12;
/** Control characters, and those that JSON escapes. */
const ESCAPED = 13;
const LINE_END = 14;
const STRICT_KINDS = [DOT, HYPHEN, DIGIT, LOWER_CASE, STRICT_SIGN];

// What is known of a line. The part that the next byte belongs to, or the fault that was found:
const PART = 0xf;
const UNCERTAIN = 0;
const BEGIN = 1;
const LOCALPART = 2;
const HOST = 3;
const ADDRESS = 4;
const BEHIND_ADDRESS = 5;
const PORT = 6;
const NO_SIGIL = 7;
const NO_COLON = 8;
const NO_HOST = 9;
const ODD_HOST = 10;
const ODD_ADDRESS = 11;
const ODD_PORT = 12;
// the localpart, the odder the more:
const NAME = 0x30;
const STRICT_NAME = 0x10;
const COMPLIANT_NAME = 0x20;
const ODD_NAME = 0x30;
// what was met:
const WIDE = 0x40;
/** A letter or a hyphen, so that the host is no IPv4 address. */
const LETTER = 0x80;
const UPPER = 0x100;
/** The host is in brackets, or has only digits and dots. */
const LITERAL = 0x8000;
/** A label that DNS does not allow, but for one that is too long. */
const ODD_LABEL = 0x200;
// where in a label the host is:
const LABEL = 0xc00;
const NOTHING_YET = 0;
const BEHIND_DOT = 0x400;
const BEHIND_HYPHEN = 0x800;
const INSIDE = 0xc00;
// and how many digits the port has:
const DIGITS = 0x7000;
const ONE_DIGIT = 0x1000;
const FIVE_DIGITS = 0x5000;
