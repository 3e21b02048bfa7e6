/**
 * Sends one transaction to one server.
 *
 * @see Server-Server API v1.19, "Transactions"
 */
import type { HttpResponse } from '../http/request.js';
import type { ServerName } from '../ids/server-name.js';
import { parseJson, type JsonText } from '../wire/json.js';
import { encodeTransaction } from '../wire/transaction.js';
import type { FederationClient } from './federation-client.js';
import type { Identity } from './server-keys.js';
import { sendSigned } from './signed-request.js';

/** A transaction to be sent; sent again it is the same to the byte. */
export interface OutgoingTransaction {
  /** Unique among those of this server. */
  readonly txnId: string;
  /** When it was made. */
  readonly originServerTsMs: number;
  /** At most 100. */
  readonly edus: readonly JsonText[];
}

/**
 * Resolves when `destination` has taken the transaction. It says nothing about what becomes of each EDU.
 *
 * @throws CanonicalJsonError when an EDU has no canonical form; what `sendSigned` throws
 */
export async function sendTransaction(
  client: FederationClient,
  destination: ServerName,
  { txnId, originServerTsMs, edus }: OutgoingTransaction,
  identity: Identity,
  signal?: AbortSignal,
): Promise<HttpResponse> {
  const body = encodeTransaction({ origin: identity.serverName, originServerTsMs, edus });
  const request = {
    method: 'PUT',
    uri: transactionPath(txnId),
    destination,
    content: parseJson(body),
  } as const;
  return sendSigned(client, request, identity, signal);
}

export function transactionPath(txnId: string): string {
  return `/_matrix/federation/v1/send/${encodeURIComponent(txnId)}`;
}
