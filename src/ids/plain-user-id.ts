/**
 * The quick pass: knows an ordinary user ID at sight, one look per character, without taking it apart.
 *
 * It says only what is certain. Whatever is odd or wrong, and some of what is neither (address literals, host
 * names of digits alone, text that is not ASCII), is left to `gradeUserId`, which decides.
 */

/**
 * `user` if `text` is surely valid in every grammar, `server-user` if it is surely the ID of a server itself
 * (valid in all but `strict`), undefined if only `gradeUserId` can tell.
 */
export function plainUserId(text: string): 'user' | 'server-user' | undefined {
  if (text.length > MAX_LENGTH || text.charCodeAt(0) !== AT_SIGN) return undefined;
  const colon = skip(text, 1, LOCALPART);
  if (text.charCodeAt(colon) !== COLON) return undefined;
  const end = skip(text, colon + 1, HOST);
  // a name of digits, dots and hyphens may be a bad IPv4 literal; there is no first letter in an empty host either
  if (skip(text, colon + 1, HOST_WITHOUT_LETTERS) === end) return undefined;
  if (end < text.length && !isPort(text, end)) return undefined;
  return colon === 1 ? 'server-user' : 'user';
}

/** The first place from `start` on whose character is not in the class. */
function skip(text: string, start: number, wanted: number): number {
  let at = start;
  while (at < text.length && ((CLASSES[text.charCodeAt(at)] ?? 0) & wanted) !== 0) at += 1;
  return at;
}

/** Is the rest `:` and one to four digits? A fifth makes the value matter. */
function isPort(text: string, colon: number): boolean {
  const digits = text.length - colon - 1;
  return (
    text.charCodeAt(colon) === COLON &&
    digits >= 1 &&
    digits <= 4 &&
    skip(text, colon + 1, DIGIT) === text.length
  );
}

const LOCALPART = 1;
const HOST = 2;
const HOST_WITHOUT_LETTERS = 4;
const DIGIT = 8;

/** The classes that each ASCII character is in. */
const CLASSES = new Uint8Array(128);
addClass('abcdefghijklmnopqrstuvwxyz', LOCALPART | HOST);
addClass('ABCDEFGHIJKLMNOPQRSTUVWXYZ', HOST);
addClass('0123456789', LOCALPART | HOST | HOST_WITHOUT_LETTERS | DIGIT);
addClass('-.', LOCALPART | HOST | HOST_WITHOUT_LETTERS);
addClass('_=/+', LOCALPART);

function addClass(characters: string, classes: number): void {
  for (const character of characters) CLASSES[character.charCodeAt(0)] = classes;
}

/** In characters; all that gets this far is ASCII, so these are bytes. */
const MAX_LENGTH = 255;
const AT_SIGN = 0x40;
const COLON = 0x3a;
