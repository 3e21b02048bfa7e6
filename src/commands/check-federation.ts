/** The second server of `mx2s check --federation`, as its flags ask for it. */
import { startSecondServer, type SecondServer } from '../check/second-server.js';
import type { ServerName } from '../ids/server-name.js';
import type { CheckFederation } from './check-federation-options.js';
import type { Context } from './context.js';
import { openFederationTransport } from './federation-transport.js';
import { readServeFiles } from './serve-files.js';

/**
 * Starts a second server beside `peer`.
 *
 * @throws UnreadableFileError, InvalidInputError when a file cannot be read or holds something else; UsageError when it
 *   cannot listen there
 */
export async function openSecondServer(
  context: Context,
  options: CheckFederation,
  peer: ServerName,
): Promise<SecondServer> {
  const { clock, chance, talk } = context;
  const files = await readServeFiles(context, { federation: options, natsCredsFile: undefined });
  const { certificate, signingKeys: keys, federationCa: caCertPem } = files;
  const { listen, serverName, insecure } = options;
  const second = await startSecondServer({
    peer,
    ...listen,
    serverName,
    keys,
    certificate,
    ...openFederationTransport(context, { caCertPem, insecure }),
    clock,
    chance,
  });
  talk.notice(`the second server ${second.serverName} listens on ${second.authority}`);
  return second;
}
