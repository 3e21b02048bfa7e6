/**
 * Speaks as a server without being one: puts a message of its server user into a transaction, signs it and sends it to
 * the server that it is for.
 *
 * @see MSC4246, "Proposal", the EDUs; Server-Server API v1.19, "Transactions"
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.js';
import { InvalidInputError } from '../errors.js';
import type { HttpResponse } from '../http/request.js';
import type { ServerName } from '../ids/server-name.js';
import { serverUserOf } from '../ids/user-id.js';
import type { OutgoingMessage, TransactionId } from '../todevice/message.js';
import { splitMessages, type RemoteMessages } from '../todevice/split.js';
import type { JsonText } from '../wire/json.js';
import { fanOut } from './fan-out.js';
import type { FederationClient } from './federation-client.js';
import { sendTransaction } from './send-transaction.js';
import type { Identity } from './server-keys.js';

/** A message on its way to another server. */
export interface ServerMail {
  readonly destination: ServerName;
  readonly edu: JsonText;
}

/**
 * Puts a message into an EDU. `*` at a server user becomes `""`. The message ID follows from the transaction
 * ID: a repeat under the same one is known also where the transaction is forgotten.
 *
 * @throws InvalidInputError with `reason` `own_server` for a recipient of the server itself, `too_long` when it does not
 *   fit into an EDU
 */
export function encodeServerMail(
  { recipient: { to, device }, type, content }: OutgoingMessage,
  txnId: TransactionId,
  serverName: ServerName,
): ServerMail {
  const { remote } = splitMessages(new Map([[to, new Map([[device, content]])]]), serverName);
  const [[destination, users] = [undefined, NOBODY]] = remote;
  if (destination === undefined) {
    throw new InvalidInputError(`${to} is of ${serverName}, which sends nothing to itself over federation`, {
      reason: 'own_server',
      hint: 'name a recipient of another server, or log in to this one and leave --as out',
    });
  }
  const sender = serverUserOf(serverName);
  const { edus } = fanOut({ sender, type, users }, () => messageIdOf(txnId));
  const [edu] = edus;
  if (edu !== undefined) return { destination, edu };
  // content in canonical form is rejected for its size alone
  throw new InvalidInputError(
    'the content cannot be sent: with what goes around it, it is too long or too deep',
    {
      reason: 'too_long',
      hint: 'split it, or send a reference to it',
    },
  );
}

export interface ServerSpeakerOptions {
  readonly identity: Identity;
  /** Repeats what may pass as often as it is told to. */
  readonly client: FederationClient;
  readonly clock: Pick<Clock, 'now'>;
}

export class ServerSpeaker {
  readonly #options: ServerSpeakerOptions;
  readonly #lines = new Map<ServerName, Promise<unknown>>();

  constructor(options: ServerSpeakerOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the other server has taken it, which says nothing about who gets it. One transaction at a time goes to
   * each server: some refuse a second.
   *
   * @throws what `encodeServerMail` and `sendTransaction` throw
   */
  async send(message: OutgoingMessage, txnId: TransactionId, signal: AbortSignal): Promise<HttpResponse> {
    const { identity, client, clock } = this.#options;
    const { destination, edu } = encodeServerMail(message, txnId, identity.serverName);
    const transaction = { txnId, originServerTsMs: clock.now(), edus: [edu] };
    const before = this.#lines.get(destination);
    const sending = Promise.resolve(before)
      .catch(() => undefined)
      .then(() => sendTransaction(client, destination, transaction, identity, signal));
    this.#lines.set(destination, sending);
    return sending;
  }
}

/** at most 32 code points, and never the same for two messages. */
function messageIdOf(txnId: TransactionId): string {
  return createHash('sha256').update(txnId).digest('hex').slice(0, MESSAGE_ID_CHARACTERS);
}

const NOBODY: RemoteMessages = new Map();
const MESSAGE_ID_CHARACTERS = 32;
