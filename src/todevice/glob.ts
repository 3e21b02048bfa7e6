/**
 * Globs over event types: `*` stands for any number of characters, `?` for one, everything else for itself.
 *
 * Whoever sends an event chooses its type, so matching must not be made slow from outside: it is no regular
 * expression, and takes at most the length of the pattern times the length of the text.
 */

/** Does a text match? */
export type Glob = (text: string) => boolean;

/** Makes a pattern ready to be matched against many texts. Every text is a pattern. */
export function compileGlob(pattern: string): Glob {
  const wildcard = pattern.search(/[*?]/);
  if (wildcard === -1) return (text) => text === pattern;
  if (wildcard === pattern.length - 1 && pattern.endsWith('*')) {
    const prefix = pattern.slice(0, -1);
    return (text) => text.startsWith(prefix);
  }
  const wanted = [...pattern];
  return (text) => matches(wanted, [...text]);
}

/** Both as code points. On a mismatch the last `*` takes one character more, and only that one ever has to. */
function matches(wanted: readonly string[], found: readonly string[]): boolean {
  let at = 0;
  let star = -1;
  let starEnd = 0;
  for (let index = 0; index < found.length;) {
    if (wanted[at] === '*') {
      star = at;
      starEnd = index;
      at += 1;
    } else if (wanted[at] === '?' || wanted[at] === found[index]) {
      at += 1;
      index += 1;
    } else if (star === -1) {
      return false;
    } else {
      starEnd += 1;
      index = starEnd;
      at = star + 1;
    }
  }
  while (wanted[at] === '*') at += 1;
  return at === wanted.length;
}
