/** The second server of `mx2s check --federation`, as its flags ask for it. */
import { startSecondServer, type SecondServer } from '../check/second-server.js';
import type { WireRecord } from '../check/wire-record.js';
import { MatrixError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import type { CheckFederation } from './check-federation-options.js';
import type { Context } from './context.js';
import { openFederationTransport } from './federation-transport.js';
import { readServeFiles } from './serve-files.js';

/**
 * Starts a second server beside `peer`, which it has to reach.
 *
 * @throws UnreadableFileError, InvalidInputError when a file cannot be read or holds something else; UsageError when it
 *   cannot listen there; NetworkError, MalformedResponseError when it does not reach `peer`
 */
export async function openSecondServer(
  context: Context,
  options: CheckFederation,
  peer: ServerName,
  record: WireRecord,
): Promise<SecondServer> {
  const { clock, chance, talk, signal } = context;
  const files = await readServeFiles(context, { federation: options, natsCredsFile: undefined });
  const { certificate, signingKeys: keys, federationCa: caCertPem } = files;
  const { listen, serverName, insecure } = options;
  const { transport, reach } = await openFederationTransport(context, { caCertPem, insecure });
  const second = await startSecondServer({
    peer,
    ...listen,
    serverName,
    keys,
    certificate,
    transport: record.around(transport),
    reach,
    onHeard: (edu) => record.heard(edu),
    clock,
    chance,
  });
  try {
    await second.ask('/_matrix/federation/v1/version', signal);
  } catch (error) {
    // whatever it answers, it is there
    if (!(error instanceof MatrixError)) {
      await second.close();
      throw error;
    }
  }
  talk.notice(`the second server ${second.serverName} listens on ${second.authority}`);
  return second;
}
