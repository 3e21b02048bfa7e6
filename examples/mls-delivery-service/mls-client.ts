/**
 * One device of one user, in one MLS group. What it changes in the group goes to the server, and counts when the
 * server has said so.
 */
import { randomUUID } from 'node:crypto';
import {
  connect,
  parseContent,
  parseEventType,
  parseRecipient,
  parseTransactionId,
  sendMessage,
  syncV3,
  type Connection,
  type ToDeviceEvent,
} from 'mx2s';
import {
  acceptAll,
  createApplicationMessage,
  createCommit,
  createGroup,
  decodeMlsMessage,
  defaultCapabilities,
  defaultLifetime,
  emptyPskIndex,
  encodeMlsMessage,
  generateKeyPackage,
  getCiphersuiteFromName,
  getCiphersuiteImpl,
  joinGroup,
  mlsExporter,
  processMessage,
  zeroOutUint8Array,
  type CiphersuiteImpl,
  type ClientState,
  type KeyPackage,
  type PrivateKeyPackage,
  type Proposal,
} from 'ts-mls';
import { decodeKeyPackage, encodeKeyPackage } from 'ts-mls/keyPackage.js';
import { decodeWelcome, encodeWelcome } from 'ts-mls/welcome.js';
import {
  APPLICATION_TYPE,
  COMMIT_TYPE,
  KEY_ALGORITHM,
  MESSAGE_TYPE,
  REJECTED_TYPE,
  WELCOME_TYPE,
  decodeBase64,
  decodeWhole,
  encodeBase64,
  encodeIdentity,
  isSameDevice,
  parseIdentity,
  type CommitContent,
  type Device,
  type MessageContent,
  type PublishedKey,
  type RejectedContent,
  type WelcomeContent,
} from './shapes.js';

export interface MlsClientOptions extends Device {
  readonly homeserver: string;
  readonly accessToken: string;
  /** `@:domain`, the delivery service. */
  readonly server: string;
  /** Told of each change of its that was rejected. */
  readonly onRejected: (content: RejectedContent) => void;
}

export class MlsClient {
  readonly #options: MlsClientOptions;
  readonly #connection: Connection;
  readonly #suite: CiphersuiteImpl;
  readonly #keys: Keys;
  /** Messages of others that were decrypted. */
  readonly heard: string[] = [];
  #since: string | undefined;
  #group: ClientState | undefined;
  /** A commit that the server has not decided on. */
  #pending: PendingCommit | undefined;

  private constructor(options: MlsClientOptions, suite: CiphersuiteImpl, keys: Keys) {
    this.#options = options;
    this.#connection = connect(options);
    this.#suite = suite;
    this.#keys = keys;
  }

  static async open(options: MlsClientOptions): Promise<MlsClient> {
    const suite = await getCiphersuiteImpl(getCiphersuiteFromName(CIPHERSUITE));
    const credential = { credentialType: 'basic', identity: encodeIdentity(options) } as const;
    const keys = await generateKeyPackage(credential, defaultCapabilities(), defaultLifetime, [], suite);
    return new MlsClient(options, suite, keys);
  }

  get device(): Device {
    const { userId, deviceId } = this.#options;
    return { userId, deviceId };
  }

  /** Undefined before it is in a group. */
  get epoch(): bigint | undefined {
    return this.#group?.groupContext.epoch;
  }

  /** What the members of a group know in one epoch, and nobody else (RFC 9420, section 8.5). */
  exportSecret(label: string): Promise<Uint8Array> {
    const { exporterSecret } = this.#inGroup().keySchedule;
    return mlsExporter(exporterSecret, label, new Uint8Array(), SECRET_BYTES, this.#suite);
  }

  /** MSC4244, "KeyPackages": a one-time key, which the server hands to one device that wants to add this one. */
  async publishKeyPackage(): Promise<void> {
    const key: PublishedKey = {
      key: encodeBase64(encodeKeyPackage(this.#keys.publicPackage)),
      signatures: {},
    };
    const keys = { one_time_keys: { [`${KEY_ALGORITHM}:${randomUUID()}`]: key } };
    const body = parseContent(JSON.stringify(keys));
    await this.#connection.call({ method: 'POST', path: '/v3/keys/upload', body });
  }

  /** Makes a group with no other member. Nobody is told before the first commit. */
  async createGroup(groupId: string): Promise<void> {
    const { publicPackage, privatePackage } = this.#keys;
    const id = new TextEncoder().encode(groupId);
    this.#group = await createGroup(id, publicPackage, privatePackage, [], this.#suite);
  }

  /** Adds a device that has published a KeyPackage. */
  async add(device: Device): Promise<void> {
    const keyPackage = await this.#claimKeyPackage(device);
    await this.#commit([{ proposalType: 'add', add: { keyPackage } }]);
  }

  /** Gives this device new keys, which is what an empty commit is for (RFC 9420, section 12.4). */
  async renewKeys(): Promise<void> {
    await this.#commit([]);
  }

  /** Encrypts a text for the group, and sends it to one device. */
  async say(text: string, { userId, deviceId }: Device): Promise<void> {
    const plain = new TextEncoder().encode(text);
    const { newState, privateMessage, consumed } = await createApplicationMessage(
      this.#inGroup(),
      plain,
      this.#suite,
    );
    this.#enter(newState, consumed);
    const message = { version: 'mls10', wireformat: 'mls_private_message', privateMessage } as const;
    await this.#send(userId, deviceId, APPLICATION_TYPE, {
      message: encodeBase64(encodeMlsMessage(message)),
    });
  }

  /** Takes in what comes until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      const batch = await syncV3(this.#connection, { since: this.#since, timeoutMs: POLL_MS });
      for (const event of batch.events) await this.#receive(event);
      this.#since = batch.nextBatch;
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }

  /** Sends a commit. When another one came first, takes that one in, and makes a new one on top of it. */
  async #commit(proposals: readonly Proposal[]): Promise<void> {
    for (;;) {
      const { epoch } = this.#inGroup().groupContext;
      const pending = await this.#propose(proposals);
      await this.until(() => pending.verdict !== undefined);
      if (pending.verdict === 'taken') return;
      // the commit that came first is on its way, or was here before the rejection
      await this.until(() => this.#inGroup().groupContext.epoch > epoch);
    }
  }

  async #propose(proposals: readonly Proposal[]): Promise<PendingCommit> {
    const context = { state: this.#inGroup(), cipherSuite: this.#suite };
    const { newState, commit, welcome, consumed } = await createCommit(context, {
      extraProposals: [...proposals],
      wireAsPublicMessage: true, // the server has to see who joins
      ratchetTreeExtension: true, // who joins gets the tree with the Welcome
    });
    const message = encodeBase64(encodeMlsMessage(commit));
    const pending: PendingCommit = { message, newState, consumed, verdict: undefined };
    this.#pending = pending;
    const content: MessageContent = {
      message,
      ...(welcome && { commit_info: { welcome: encodeBase64(encodeWelcome(welcome)) } }),
      device_id: this.#options.deviceId,
    };
    await this.#send(this.#options.server, '', MESSAGE_TYPE, content);
    return pending;
  }

  async #receive({ sender, type, content: text }: ToDeviceEvent): Promise<void> {
    const content: unknown = JSON.parse(text);
    if (type === APPLICATION_TYPE) return this.#process((content as CommitContent).message);
    if (sender !== this.#options.server) return; // only the delivery service orders commits
    if (type === WELCOME_TYPE) return this.#join((content as WelcomeContent).welcome);
    if (type === COMMIT_TYPE) return this.#take((content as CommitContent).message);
    if (type === REJECTED_TYPE && this.#pending !== undefined) {
      this.#pending.verdict = 'rejected';
      this.#pending = undefined;
      const rejected = content as RejectedContent;
      this.#options.onRejected(rejected);
      if (rejected.reason !== 'stale_epoch') throw new Error(`the change was rejected: ${rejected.reason}`);
    }
  }

  /** A commit that the server took: this device's own, or another one's. */
  async #take(message: string): Promise<void> {
    const pending = this.#pending;
    if (pending?.message !== message) return this.#process(message);
    pending.verdict = 'taken';
    this.#pending = undefined;
    this.#enter(pending.newState, pending.consumed);
  }

  async #process(message: string): Promise<void> {
    const read = decodeWhole(decodeMlsMessage, decodeBase64(message));
    if (read?.wireformat !== 'mls_public_message' && read?.wireformat !== 'mls_private_message') {
      throw new Error('neither a commit nor a message of the group');
    }
    const group = this.#inGroup();
    const isCommit = read.wireformat === 'mls_public_message';
    if (isCommit && read.publicMessage.content.epoch < group.groupContext.epoch) return; // it came again
    const result = await processMessage(read, group, emptyPskIndex, acceptAll, this.#suite);
    this.#enter(result.newState, result.consumed);
    if (result.kind === 'applicationMessage') this.heard.push(new TextDecoder().decode(result.message));
  }

  async #join(welcome: string): Promise<void> {
    if (this.#group !== undefined) return; // a KeyPackage is good for one group, and for once
    const read = decodeWhole(decodeWelcome, decodeBase64(welcome));
    if (read === undefined) throw new Error('not a Welcome');
    const { publicPackage, privatePackage } = this.#keys;
    this.#group = await joinGroup(read, publicPackage, privatePackage, emptyPskIndex, this.#suite);
  }

  async #claimKeyPackage({ userId, deviceId }: Device): Promise<KeyPackage> {
    const body = parseContent(
      JSON.stringify({
        one_time_keys: { [userId]: { [deviceId]: KEY_ALGORITHM } },
        // from the draft; homeservers of today hand on keys as they are, and look at none of this
        mls: { protocol_version: 'm.mls_10', acceptable_ciphersuites: [CIPHERSUITE] },
      }),
    );
    const answer = await this.#connection.call({ method: 'POST', path: '/v3/keys/claim', body });
    const { one_time_keys: keys } = JSON.parse(answer.body) as ClaimAnswer;
    const [claimed] = Object.values(keys[userId]?.[deviceId] ?? {});
    const keyPackage = claimed && decodeWhole(decodeKeyPackage, decodeBase64(claimed.key));
    const credential = keyPackage?.leafNode.credential;
    const named = credential?.credentialType === 'basic' ? parseIdentity(credential.identity) : undefined;
    if (keyPackage === undefined || !isSameDevice(named, { userId, deviceId })) {
      throw new Error(`no KeyPackage of ${userId}, device ${deviceId}, was to be had`);
    }
    return keyPackage;
  }

  async #send(to: string, device: string, type: string, content: object): Promise<void> {
    const message = {
      recipient: parseRecipient(to, device),
      type: parseEventType(type),
      content: parseContent(JSON.stringify(content)),
    };
    await sendMessage(this.#connection, message, parseTransactionId(randomUUID()));
  }

  /** Keys that were used are wiped: whoever finds them later reads nothing of what was before. */
  #enter(state: ClientState, consumed: readonly Uint8Array[]): void {
    this.#group = state;
    consumed.forEach(zeroOutUint8Array);
  }

  #inGroup(): ClientState {
    if (this.#group === undefined) throw new Error(`${this.#options.userId} is in no group`);
    return this.#group;
  }
}

interface Keys {
  readonly publicPackage: KeyPackage;
  readonly privatePackage: PrivateKeyPackage;
}

interface PendingCommit {
  readonly message: string;
  readonly newState: ClientState;
  readonly consumed: readonly Uint8Array[];
  verdict: 'taken' | 'rejected' | undefined;
}

/** Client-Server API v1.19, "POST /keys/claim"; MSC4244, "KeyPackages". */
interface ClaimAnswer {
  readonly one_time_keys: Record<string, Record<string, Record<string, PublishedKey>>>;
}

/** The first that MSC4244 names; it needs no package but the library. */
const CIPHERSUITE = 'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519';
const SECRET_BYTES = 32;
const POLL_MS = 30_000;
