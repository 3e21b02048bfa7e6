/** What somebody typed, as an error may show it: a slip of the hand must not put a secret into a log. Pure. */

/**
 * The text with `***` in place of what may be a secret: everything before the last `@`, but for the sigil of a user
 * ID (`name:password@host`, with any scheme or none, is user information), and what looks like an access token.
 */
export function withoutSecrets(text: string): string {
  const at = text.lastIndexOf('@');
  const sigil = text.startsWith('@') ? '@' : '';
  const shown = at > 0 ? `${sigil}***${text.slice(at)}` : text;
  return shown.replace(TOKEN, '***');
}

/** How homeservers and their authentication services begin a token, so that it is known where it should not be. */
const TOKEN = /\b(?:syt|syr|syl|mat|mar|mct|mcr)_\w+/g;
