/** What lets `mx2s gateway` in, and where: read from the file that was named. */
import { parseRegistration, type Registration, type RegistrationPlace } from '../gateway/registration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { readSecretFrom, readTextFrom } from '../ui/file-input.js';
import type { Context } from './context.js';
import type { GatewayEntry } from './gateway-options.js';

export interface Entrance {
  readonly place: RegistrationPlace;
  /** The token of an application service, or the password of the server user. */
  readonly secret: { readonly asToken: string } | { readonly password: string };
}

/** @throws UnreadableFileError, InvalidInputError, UsageError when it is not said which homeserver is meant */
export async function readEntrance(stdin: Context['stdin'], entry: GatewayEntry): Promise<Entrance> {
  if ('passwordFile' in entry) {
    const { passwordFile, homeserver, serverName } = entry;
    const password = await readSecretFrom(passwordFile, stdin, 'the password');
    if (password === '') throw new InvalidInputError('the password is empty', { at: '--password-file' });
    return { place: { homeserver, serverName }, secret: { password } };
  }
  const file = entry.registrationFile;
  const registration = await parseRegistration(await readTextFrom(file, stdin, 'the registration'), file);
  return { place: placeOf(registration, entry), secret: { asToken: registration.asToken } };
}

/**
 * Where the registration is of use. Its tokens go to no other homeserver than it was made for.
 * @throws UsageError
 */
function placeOf(
  registration: Registration,
  {
    registrationFile: file,
    homeserver: given,
    serverName: name,
  }: Extract<GatewayEntry, { readonly registrationFile: string }>,
): RegistrationPlace {
  const homeserver = registration.homeserver ?? given;
  const serverName = registration.serverName ?? name;
  if (homeserver === undefined || serverName === undefined) {
    throw new UsageError(`${file} does not say which homeserver it is for`, {
      hint: 'add --homeserver URL and --server-name NAME',
    });
  }
  if ((given !== undefined && given !== homeserver) || (name !== undefined && name !== serverName)) {
    throw new UsageError(`${file} was made for ${serverName} at ${homeserver}`, {
      hint: 'leave --homeserver and --server-name out, or make another one with mx2s gateway init',
    });
  }
  return { homeserver, serverName };
}
