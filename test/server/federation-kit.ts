/** A homeserver with another server beside it, each as the other sees it. */
import { signRequest, type UnsignedRequest } from '../../src/federation/signed-request.js';
import type { Identity } from '../../src/federation/server-keys.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import type { HomeserverOptions } from '../../src/server/open.js';
import { jsonTextOf, parseJson } from '../../src/wire/json.js';
import { startPeer, type Peer } from '../federation/peer.js';
import { AUTHORITY } from '../http/certificates.js';
import type { Respond } from '../http/loopback-server.js';
import { openTestServer, SERVER, type Reply, type TestServer } from './kit.js';

export interface Federated {
  readonly server: TestServer;
  readonly peer: Peer;
  /** The server user of the peer. */
  readonly peerUser: string;
  /** Sends a transaction as the peer, with EDUs and what else its body shall hold. */
  transact(edus: readonly unknown[], more?: Transaction): Promise<Reply>;
  /** Sends a signed request as the peer. */
  request(request: Omit<UnsignedRequest, 'destination'>, identity?: Identity): Promise<Reply>;
  /** The EDUs that the peer got, once there are so many. */
  got(count: number): Promise<unknown[]>;
}

export interface Transaction {
  readonly txnId?: string;
  readonly fields?: Record<string, unknown>;
  readonly identity?: Identity;
}

export type FederatedOptions = HomeserverOptions & {
  readonly on?: readonly string[];
  /** Default: a new one. */
  readonly peer?: Peer;
  /** How a new peer answers; by default it takes everything. */
  readonly respond?: Respond;
};

/** Opens both; they are closed when the test ends. */
export async function openFederated({
  peer: known,
  respond,
  ...options
}: FederatedOptions = {}): Promise<Federated> {
  const peer = known ?? (await startPeer(respond));
  const server = await openTestServer({
    ...options,
    federation: {
      transport: openTransport({ trusted: parseCertificates(AUTHORITY) }),
      reach: 'loopback',
      ...options.federation,
    },
  });
  const self: Identity = { serverName: peer.name, keys: [peer.key] };

  async function request(
    unsigned: Omit<UnsignedRequest, 'destination'>,
    identity: Identity = self,
  ): Promise<Reply> {
    const {
      method,
      uri,
      authorization = '',
      body,
    } = signRequest({ ...unsigned, destination: SERVER }, identity);
    const reply = await server.call(method, uri, { headers: { authorization }, body });
    await server.home.delivery.settled();
    return reply;
  }

  let count = 0;
  return {
    server,
    peer,
    peerUser: `@:${peer.name}`,
    request,
    transact: (edus, { txnId = `t${(count += 1)}`, fields = {}, identity = self } = {}) => {
      const content = { origin: identity.serverName, origin_server_ts: 1, pdus: [], edus, ...fields };
      const uri = `/_matrix/federation/v1/send/${encodeURIComponent(txnId)}`;
      return request({ method: 'PUT', uri, content: parseJson(jsonTextOf(content)) }, identity);
    },
    async got(wanted) {
      for (let arrived = 1; ; arrived += 1) {
        const found = edusOf(peer);
        if (found.length >= wanted) return found;
        await peer.arrived(arrived);
      }
    },
  };
}

/** The EDUs in the transactions that came to a peer. */
export function edusOf(peer: Peer): unknown[] {
  return peer.asked
    .filter(({ path }) => path.startsWith('/_matrix/federation/v1/send/'))
    .flatMap(({ body }) => (JSON.parse(body) as { edus: unknown[] }).edus);
}

/** An `m.direct_to_device` EDU with a message ID of its own. */
export function directToDevice(
  sender: string,
  type: string,
  messages: unknown,
  messageId = `m${(messageCount += 1)}`,
): unknown {
  return { edu_type: 'm.direct_to_device', content: { sender, type, messages, message_id: messageId } };
}

let messageCount = 0;
