import { InvalidInputError } from '../errors.js';

/**
 * An access token that can stand in a header. The error does not show it.
 * @throws InvalidInputError for an empty one, and for any character outside U+0021 to U+007E
 */
export function parseAccessToken(text: string): string {
  if (/^[!-~]+$/.test(text)) return text;
  throw new InvalidInputError(
    text === '' ? 'the access token is empty' : 'the access token holds characters that no access token has',
    {
      hint: 'it has only visible ASCII characters: was something else pasted, or a line break?',
      reason: 'access_token',
    },
  );
}
