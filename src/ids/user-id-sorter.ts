/**
 * The quick pass over many user IDs: sorts lines of bytes into classes, and makes no strings.
 *
 * `gradeUserId` says the same of all lines of a class, but for the text of their parts. So one line of each class needs to
 * be graded, and the verdict holds for the others. What is rare and hard to tell is in the class `UNSORTED`, and has to be
 * graded line by line: long server names, very long lines, bytes that are not UTF-8, and characters that JSON escapes.
 */
import { isIpv4Shape, isIpv6At, isOctets } from './ip-literal.js';
import { MAX_LABEL_CHARACTERS, MAX_PORT } from './server-name.js';
import { makeWalk } from './table-walk.js';
import {
  hasBothParts,
  hasLiteral,
  hasLongPort,
  hasServerName,
  isWide,
  makeUserIdAutomaton,
} from './user-id-automaton.js';
import { MAX_ID_BYTES } from './user-id.js';
import { isUtf8 } from './utf8.js';

/** The class of the lines that the quick pass says nothing of. */
export const UNSORTED = 0;

/** What it says lasts until the next call. */
export interface UserIdSorter {
  /** For each sorted line two numbers: the place of its `\n`, and its class. */
  readonly lines: Int32Array;
  /** How many classes there are: their numbers are below. */
  readonly classes: number;
  /**
   * Sorts lines from `start` on, as many as there is room for.
   * @param block whole lines, each with its `\n`
   * @returns how many
   */
  sort(block: Uint8Array, start: number): number;
}

/** A sorter with its automaton, which takes some milliseconds to make. */
export function makeUserIdSorter(): UserIdSorter {
  const automaton = makeUserIdAutomaton();
  const { facts } = automaton;
  const { input, found: lines, walk } = makeWalk(automaton, MAX_BYTES);
  // the classes are the states, and these
  const tooLong = facts.length;
  const badIpv4 = facts.length + 1;
  const badIpv6 = facts.length + 2;
  const badPort = facts.length + 3;

  function sort(block: Uint8Array, start: number): number {
    const end =
      block.length - start <= MAX_BYTES
        ? block.length
        : block.lastIndexOf(NEWLINE, start + MAX_BYTES - 1) + 1;
    if (end <= start) {
      lines[0] = block.indexOf(NEWLINE, start);
      lines[1] = UNSORTED;
      return 1;
    }
    input.set(block.subarray(start, end));
    const count = walk(end - start);
    let lineStart = 0;
    for (let line = 0; line < 2 * count; line += 2) {
      const lineEnd = lines[line] ?? 0;
      const state = lines[line + 1] ?? 0;
      const isPlain = !isOdd(facts[state] ?? 0, lineEnd - lineStart);
      lines[line] = start + lineEnd;
      lines[line + 1] = isPlain ? state : classOfOdd(state, lineStart, lineEnd);
      lineStart = lineEnd + 1;
    }
    return count;
  }

  /** What the automaton cannot know: how long a line is, whether it is UTF-8, what its numbers are worth. */
  function classOfOdd(state: number, start: number, end: number): number {
    const known = facts[state] ?? 0;
    if (isWide(known) && !isUtf8(input, start, end)) return UNSORTED;
    if (!hasBothParts(known)) return state;
    if (end - start > MAX_ID_BYTES) return tooLong;
    const host = input.indexOf(COLON, start) + 1;
    if (hasLiteral(known)) {
      if (input[host] !== OPENING_BRACKET) {
        if (isBadIpv4(input, host, end)) return badIpv4;
      } else if (!isIpv6At(input, host + 1, input.indexOf(CLOSING_BRACKET, host))) {
        return badIpv6;
      }
    }
    if (hasLongPort(known) && numberBefore(input, end) > MAX_PORT) return badPort;
    // in a name that is longer than a label may be, there may be one that is too long
    return hasServerName(known) && end - host > MAX_LABEL_CHARACTERS ? UNSORTED : state;
  }

  return { lines, classes: badPort + 1, sort };
}

/** Does the class of such a line depend on more than the state? */
function isOdd(facts: number, length: number): boolean {
  return length > MAX_LABEL_CHARACTERS || isWide(facts) || hasLiteral(facts) || hasLongPort(facts);
}

/** Has the host the shape of an IPv4 address, and a number above 255? */
function isBadIpv4(bytes: Uint8Array, start: number, end: number): boolean {
  const [host = ''] = String.fromCharCode(...bytes.subarray(start, end)).split(':', 1);
  return isIpv4Shape(host) && !isOctets(host);
}

/** The number that the five digits before `end` make. */
function numberBefore(bytes: Uint8Array, end: number): number {
  let number = 0;
  for (let at = end - 5; at < end; at += 1) number = number * 10 + (bytes[at] ?? 0) - ZERO;
  return number;
}

/** At a time: what stays close to the processor. */
const MAX_BYTES = 65_536;
const NEWLINE = 0x0a;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const ZERO = 0x30;
