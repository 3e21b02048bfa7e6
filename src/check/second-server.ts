/**
 * A server of our own beside the one under test, for what only another server can see or say.
 *
 * It has a name, a key and a listener. It keeps what the server under test sends, as it came, and answers no more than
 * that takes; it says what it is told to say, signed, and true or not.
 *
 * Invariant: it speaks with the server under test only, and its memory has an end.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import type { Reach } from '../federation/address.js';
import type { Resolver } from '../federation/look-up.js';
import { sendTransaction } from '../federation/send-transaction.js';
import { sendSigned } from '../federation/signed-request.js';
import { createSigningKeyFile, parseSigningKeyFile, type SigningKeys } from '../federation/signing-key.js';
import type { Transport } from '../http/transport.js';
import { parseServerName, type ServerName } from '../ids/server-name.js';
import { parseUserId, serverUserOf, type UserId } from '../ids/user-id.js';
import { buildApp } from '../server/app.js';
import type { Certificate } from '../server/certificate.js';
import { startDualListener } from '../server/dual-listener.js';
import { open } from '../server/endpoint.js';
import { Federation } from '../server/federation.js';
import { forbidden } from '../server/refusal.js';
import { serverKeys } from '../server/routes/federation/server-keys.js';
import { version } from '../server/routes/federation/version.js';
import { openMemoryStore } from '../store/memory.js';
import { jsonTextOf, type JsonObject, type JsonText } from '../wire/json.js';
import { parseXMatrix } from '../wire/x-matrix.js';
import { EduLog } from './edu-log.js';

export interface SecondServerOptions {
  /** The server under test: the only one that is listened to, and spoken to. */
  readonly peer: ServerName;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Default: where it listens, `HOST:PORT`. */
  readonly serverName?: ServerName | undefined;
  /** Default: one that is made. */
  readonly keys?: SigningKeys | undefined;
  /** Default: one that is made, and that nobody has signed. */
  readonly certificate?: Certificate | undefined;
  /** Knows which certificates to trust. Closed with the server. */
  readonly transport: Transport;
  /** Where the name of the server under test may lead. */
  readonly reach: Reach;
  /** Default: that of the system. */
  readonly resolver?: Resolver | undefined;
  /** Told of each EDU that the server under test sends. */
  readonly onHeard?: ((edu: JsonText) => void) | undefined;
  readonly clock: Clock;
  readonly chance: Chance;
}

export interface SecondServer {
  readonly serverName: ServerName;
  /** `@:serverName` */
  readonly serverUser: UserId;
  /** Where it listens, `HOST:PORT`. */
  readonly authority: string;
  /** What the server under test has sent, in order; a transaction that came twice counts once. */
  readonly heard: EduLog;
  /** Every request that came, of anybody, as `METHOD TARGET`. */
  readonly requests: readonly string[];
  /** A user of this server, who is nothing but a name. */
  user(localpart: string): UserId;
  /**
   * Sends EDUs in one transaction, at most 100.
   * @throws what `sendTransaction` throws: MatrixError when it is not taken
   */
  say(edus: readonly JsonText[], signal?: AbortSignal): Promise<void>;
  /**
   * Asks with a signed `GET`, and gives the object of the answer.
   * @param uri path from `/_matrix`, percent-encoded, and query
   * @throws what `sendSigned` throws: MatrixError for another status than 200
   */
  ask(uri: string, signal?: AbortSignal): Promise<JsonObject>;
  close(): Promise<void>;
}

/**
 * Starts a second server.
 * @throws UsageError when it cannot listen there, InvalidInputError when the certificate cannot be used or where it
 *   listens makes no server name
 */
export async function startSecondServer(options: SecondServerOptions): Promise<SecondServer> {
  const { peer, host, port, certificate, clock, chance } = options;
  const requests: string[] = [];
  const heard = new EduLog(clock, options.onHeard);
  // the server's name may follow from its port, and the app needs the name: requests that come before it wait
  const opening = start();

  function answer(request: IncomingMessage, response: ServerResponse): void {
    if (requests.length < MAX_REQUESTS) requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    void opening.then(
      ({ app }) => app.routing(request, response),
      () => response.destroy(),
    );
  }

  async function start() {
    const { serverName: named } = options;
    const listener = await startDualListener({ host, port, certificate, serverName: named, answer });
    try {
      const serverName = named ?? parseServerName(listener.authority);
      const identity = { serverName, keys: options.keys ?? freshKeys(chance) };
      const federation = new Federation({ identity, store: openMemoryStore(), clock, chance }, options);
      const home: Home = { peer, federation, heard, clock, waiters: { closed: false } };
      const app = await buildApp(home, ENDPOINTS, () => undefined);
      return { listener, federation, app };
    } catch (error) {
      await listener.close();
      throw error;
    }
  }

  const { listener, federation, app } = await opening;
  const { identity, client } = federation;
  const { serverName } = identity;
  return {
    serverName,
    serverUser: serverUserOf(serverName),
    authority: listener.authority,
    heard,
    requests,
    user: (localpart) => parseUserId(`@${localpart}:${serverName}`),
    say: async (edus, signal) => {
      const transaction = { txnId: chance.uuid(), originServerTsMs: clock.now(), edus };
      await sendTransaction(client, peer, transaction, identity, signal);
    },
    ask: async (uri, signal) => {
      const request = { method: 'GET', uri, destination: peer } as const;
      return (await sendSigned(client, request, identity, signal)).object;
    },
    close: async () => {
      await listener.close();
      await app.close();
      await federation.stop();
    },
  };
}

interface Home {
  readonly peer: ServerName;
  readonly federation: Federation;
  readonly heard: EduLog;
  readonly clock: Pick<Clock, 'now'>;
  readonly waiters: { readonly closed: boolean };
}

/** Takes a transaction, once: a sender who did not hear the answer comes again. */
const receive = open<Home>('PUT', ['/_matrix/federation/v1/send/:txnId'], async (home, call) => {
  const incoming = call.incoming();
  // before anybody's key is fetched: who reaches us must not choose whom we ask
  if (incoming.authorization.some((header) => parseXMatrix(header)?.origin !== home.peer)) {
    throw forbidden(`this server speaks with ${home.peer} only`);
  }
  const { transaction } = await home.federation.verifyTransaction(incoming);
  home.heard.keep(call.param('txnId'), transaction.edus);
  return TAKEN;
});

function freshKeys(chance: Chance): SigningKeys {
  return parseSigningKeyFile(createSigningKeyFile(chance), 'the key that was made');
}

const ENDPOINTS = [version, serverKeys, receive];
const TAKEN = jsonTextOf({ pdus: {} });
const MAX_REQUESTS = 1000;
