import { InvalidInputError } from '../errors.js';
import { withoutSecrets } from '../typed-text.js';

/**
 * A homeserver's URL as it is kept and compared: its path kept, no slash at the end.
 *
 * Plain http is allowed to any host: who types it means it. (What `.well-known` names is held to https by
 * well-known.ts.)
 *
 * @throws InvalidInputError when it is no http or https URL, or holds user information, a query or a fragment
 */
export function parseHomeserverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    const shown = JSON.stringify(withoutSecrets(text));
    throw refused(`${shown} is no homeserver URL`, 'it begins with https:// or http://');
  }
  if (url.username !== '' || url.password !== '') {
    // not shown: it may hold a password
    throw refused('the homeserver URL holds user information', 'leave out what stands before the @');
  }
  if (url.search !== '' || url.hash !== '') {
    throw refused('the homeserver URL holds a query or a fragment', 'leave out what follows ? or #');
  }
  // looking behind keeps it linear: the URL may come from a server (`.well-known`), and be long
  return url.origin + url.pathname.replace(/(?<!\/)\/+$/, '');
}

function refused(message: string, hint: string): InvalidInputError {
  return new InvalidInputError(message, { hint, reason: 'homeserver_url' });
}
