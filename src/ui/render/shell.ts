/** Text for a POSIX shell. */

/** One word of a shell command: as it is where that is safe, else in single quotes. */
export function quoteForShell(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

// `~` and `=` mean something at the beginning of a word only
const PLAIN_WORD = /^[A-Za-z0-9_@%+:,./-][A-Za-z0-9_@%+=:,./~-]*$/;
