/** The server among servers: what it sends to others, and how it knows who sends to it. */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import type { Reach } from '../federation/address.js';
import { FederationClient } from '../federation/federation-client.js';
import { serverKeysFetch } from '../federation/fetch-server-keys.js';
import { KeyRing } from '../federation/key-ring.js';
import type { Resolver } from '../federation/look-up.js';
import { Outbox, type OutboxFailure } from '../federation/outbox.js';
import { sendTransaction } from '../federation/send-transaction.js';
import type { Identity } from '../federation/server-keys.js';
import type { SigningKeys } from '../federation/signing-key.js';
import { systemResolver } from '../federation/system-resolver.js';
import {
  verifyRequest,
  verifyTransaction,
  type IncomingRequest,
  type RequestRefusal,
  type VerifiedRequest,
  type VerifiedTransaction,
} from '../federation/verify-request.js';
import { openTransport, type Transport } from '../http/transport.js';
import type { ServerName } from '../ids/server-name.js';
import type { Store } from '../store/store.js';
import { Refusal } from './refusal.js';

/** How the server deals with others, as far as the one who starts it decides. */
export interface FederationOptions {
  /** Default: remembered, or made up. */
  readonly signingKeys?: SigningKeys | undefined;
  /** Knows which certificates to trust; by default one that trusts the roots of Node. Closed with the server. */
  readonly transport?: Transport | undefined;
  /** Default: that of the system. */
  readonly resolver?: Resolver | undefined;
  /** Where names that come from outside may lead; default: to public addresses only. */
  readonly reach?: Reach | undefined;
  /** Told of each transaction that another server did not take; it is sent again. */
  readonly onUnsent?: ((failure: OutboxFailure) => void) | undefined;
  /** Told of each request of another server that was refused; `cause` is what its sender was not told. */
  readonly onRefused?: ((error: string, cause: unknown) => void) | undefined;
}

export interface FederationTools {
  readonly identity: Identity;
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: Chance;
}

export class Federation {
  readonly identity: Identity;
  readonly client: FederationClient;
  readonly outbox: Outbox;
  readonly #clock: Clock;
  readonly #transport: Transport;
  readonly #keyRing: KeyRing;
  readonly #onRefused: FederationOptions['onRefused'];

  constructor({ identity, store, clock, chance }: FederationTools, options: FederationOptions) {
    const transport = options.transport ?? openTransport({});
    const resolver = options.resolver ?? systemResolver();
    const reach = options.reach ?? 'public';
    const client = new FederationClient({ transport, resolver, clock, chance, reach });
    this.identity = identity;
    this.client = client;
    this.outbox = new Outbox({
      origin: identity.serverName,
      store: store.outbox,
      transmit: (destination, transaction, signal) =>
        sendTransaction(client, destination, transaction, identity, signal),
      clock,
      chance,
      onFailure: options.onUnsent,
    });
    this.#clock = clock;
    this.#transport = transport;
    this.#keyRing = new KeyRing({ fetch: serverKeysFetch(client), clock });
    this.#onRefused = options.onRefused;
  }

  /** Who sent a request. @throws Refusal 400, 401 */
  async verify(request: IncomingRequest): Promise<VerifiedRequest> {
    return this.#believed(await verifyRequest(request, this.identity.serverName, this.#keyFor));
  }

  /** Who sent a transaction, and what is in it. @throws Refusal 400, 401 */
  async verifyTransaction(request: IncomingRequest): Promise<VerifiedTransaction> {
    return this.#believed(await verifyTransaction(request, this.identity.serverName, this.#keyFor));
  }

  /** The keys of another server, for those who ask us as a notary. Never throws. */
  readonly keysOf = (serverName: ServerName, minimumMs: number) =>
    this.#keyRing.keysOf(serverName, minimumMs);

  /**
   * Lets what is on its way arrive, if that does not take long, and calls off the rest; what was not taken waits for the
   * next start, if the store has one.
   */
  async stop(): Promise<void> {
    const settled = new AbortController();
    const patience = this.#clock.sleep(STOP_GRACE_MS, settled.signal).catch(() => undefined);
    await Promise.race([this.outbox.settled(), patience]);
    settled.abort();
    await this.outbox.stop();
    await this.#transport.close();
  }

  readonly #keyFor = (serverName: ServerName, keyId: string) => this.#keyRing.keyFor(serverName, keyId);

  #believed<Verified extends object>(result: Verified | RequestRefusal): Verified {
    if (!isRefusal(result)) return result;
    const { status, errcode, error, cause } = result;
    this.#onRefused?.(error, cause);
    throw new Refusal(status, errcode, error);
  }
}

function isRefusal(result: object): result is RequestRefusal {
  return 'status' in result;
}

const STOP_GRACE_MS = 2000;
