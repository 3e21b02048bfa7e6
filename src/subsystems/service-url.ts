/** URLs of services on the command line, which everybody on this machine can read. */
import { InvalidInputError, UsageError } from '../errors.js';
import { withoutSecrets } from '../typed-text.js';

/** @throws UsageError for a URL with user information, which it does not repeat; InvalidInputError */
export function parseServiceUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined)
    throw new InvalidInputError(`--on: '${withoutSecrets(text)}' is no URL`, { at: '--on' });
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('--on: a URL on the command line must hold no user name or password', {
      hint: 'the list of processes shows command lines to everybody',
    });
  }
  return url;
}
