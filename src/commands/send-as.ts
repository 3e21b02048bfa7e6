/** `mx2s send --as`: signs messages as a server, and sends them to the servers that they are for. */
import { FederationClient } from '../federation/federation-client.js';
import { transactionPath } from '../federation/send-transaction.js';
import type { Identity } from '../federation/server-keys.js';
import { ServerSpeaker, encodeServerMail } from '../federation/server-speaker.js';
import { parseSigningKeyFile } from '../federation/signing-key.js';
import { systemResolver } from '../federation/system-resolver.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import { isServerUser, serverUserOf } from '../ids/user-id.js';
import { startKeyListener, type KeyListener } from '../server/key-listener.js';
import type { Recipient } from '../todevice/message.js';
import { encodeTransaction } from '../wire/transaction.js';
import { readTextFrom } from '../ui/file-input.js';
import type { PlannedRequest } from '../ui/render/send.js';
import type { Context } from './context.js';
import { openFederationTransport } from './federation-transport.js';
import { withKeyHint } from './key-hint.js';
import {
  acceptedResult,
  planLine,
  resultLine,
  unsentResult,
  type Outgoing,
  type SendAction,
} from './send-action.js';
import type { SendAs } from './send-as-options.js';
import type { ActionName } from './send-options.js';

/**
 * @throws UnreadableFileError, InvalidInputError when a file cannot be read or holds something else; UsageError when
 *   nothing can listen where the key is to be published
 */
export async function openSendAs(context: Context, options: SendAs, action: ActionName): Promise<SendAction> {
  const { out } = context;
  const file = options.signingKeyFile;
  const keys = parseSigningKeyFile(await readTextFrom(file, context.stdin, 'the signing key'), file);
  const identity: Identity = { serverName: options.serverName, keys };
  if (action === 'send') return openSpeaking(context, options, identity);
  return {
    outcome: 'to be sent',
    perform: async (outgoing) => planLine(out, planOf(outgoing, identity, context.clock.now())),
    unsent: (line) => resultLine(out, unsentResult({ ...line, txnId: undefined })),
    close: async () => undefined,
  };
}

async function openSpeaking(context: Context, options: SendAs, identity: Identity): Promise<SendAction> {
  const { out, signal, clock } = context;
  const { client, close } = await openClient(context, options);
  const speaker = new ServerSpeaker({ identity, client, clock });
  const listener = await publishKey(context, options, identity);
  return {
    outcome: 'accepted',
    perform: async (outgoing) => {
      const { message, txnId } = outgoing;
      try {
        const accepted = await speaker.send(message, txnId, signal);
        const asSent = {
          ...outgoing,
          message: { ...message, recipient: recipientAsSent(message.recipient) },
        };
        return resultLine(out, {
          ...acceptedResult(asSent, accepted),
          as: serverUserOf(identity.serverName),
        });
      } catch (error) {
        throw withKeyHint(error, identity, listener);
      }
    },
    unsent: (line) => resultLine(out, unsentResult(line)),
    close: async () => {
      await listener?.close();
      await close();
    },
  };
}

async function openClient(context: Context, { caCertFile, insecure }: SendAs) {
  const { globals, clock, chance, stdin, talk } = context;
  const caCertPem =
    caCertFile === undefined ? undefined : await readTextFrom(caCertFile, stdin, 'certificates');
  const { transport, reach } = await openFederationTransport(context, { caCertPem, insecure });
  const client = new FederationClient({
    transport,
    reach,
    resolver: systemResolver(),
    clock,
    chance,
    policy: { retries: globals.retries, maxWaitMs: globals.maxWaitMs },
    onRetry: ({ attempt, delayMs, reason }) => {
      talk.detail(`attempt ${attempt} failed (${reason}), next in ${delayMs} ms`);
    },
  });
  return { client, close: () => transport.close() };
}

async function publishKey(
  { stdin, talk, clock }: Context,
  { listen, certificateFiles: files }: SendAs,
  identity: Identity,
): Promise<KeyListener | undefined> {
  if (listen === undefined) return undefined;
  const certificate = files && {
    cert: await readTextFrom(files.cert, stdin, 'the certificate'),
    key: await readTextFrom(files.key, stdin, 'the private key'),
  };
  const listener = await startKeyListener({ identity, ...listen, certificate, clock });
  talk.notice(`the key of ${identity.serverName} is published at ${listener.authority}`);
  return listener;
}

function planOf(
  { line, message, txnId }: Outgoing,
  { serverName: origin }: Identity,
  originServerTsMs: number,
): PlannedRequest {
  const { destination, edu } = encodeServerMail(message, txnId, origin);
  return {
    method: 'PUT',
    url: `https://${destination}${transactionPath(txnId)}`,
    body: encodeTransaction({ origin, originServerTsMs, edus: [edu] }),
    line,
  };
}

/** what was asked for as `*` went to `""`. */
function recipientAsSent({ to, device }: Recipient): Recipient {
  return { to, device: isServerUser(to) ? SERVER_DEVICE_ID : device };
}
