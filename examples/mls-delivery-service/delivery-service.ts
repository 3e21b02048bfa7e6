/**
 * A delivery service for MLS, as a handler of messages to `@:domain`.
 *
 * MLS needs one order of commits in a group, and that is all it needs a server for: of the commits that were made for
 * one epoch, the first to come here is taken and told to all members, and the others are rejected. The service has no
 * key of any group and can read no message. It sees who joins, because it has to know whom to tell.
 *
 * What a service in earnest would have besides: a database, the membership and power levels of a room (MSC4244 has
 * them in the commit's authenticated data), removals, and a look at signatures: here only members check them.
 *
 * @see MSC4244, "Proposal"; RFC 9420, section 14, "Sequencing of State Changes"
 */
import { decodeMlsMessage, type Proposal, type PublicMessage } from 'ts-mls';
import {
  COMMIT_TYPE,
  REJECTED_TYPE,
  WELCOME_TYPE,
  decodeBase64,
  decodeWhole,
  isSameDevice,
  parseIdentity,
  parseMessageContent,
  type CommitContent,
  type Device,
  type RejectedContent,
  type RejectionReason,
  type WelcomeContent,
} from './shapes.js';

/** What a handler of `mx2s serve` and `mx2s gateway` is given. */
export interface HandlerInput {
  readonly sender: string;
  readonly type: string;
  readonly content: unknown;
  /** Known where the sender is a user of this very server. */
  readonly device_id?: string;
  readonly via: 'client' | 'federation';
}

/** One of the messages that a handler answers with; without `to` it is for the device that asked. */
export interface HandlerMessage {
  readonly to?: string;
  readonly device?: string;
  readonly type: string;
  readonly content: CommitContent | WelcomeContent | RejectedContent;
}

interface Group {
  /** The epoch that the next commit has to be for. */
  readonly epoch: bigint;
  /** Members by leaf of the tree, as RFC 9420 numbers them. Nobody leaves here, so there are no gaps. */
  readonly members: readonly Device[];
  /** The commit that was taken last, and what it was answered with. */
  readonly last?: { readonly message: string; readonly answer: readonly HandlerMessage[] };
}

export class DeliveryService {
  readonly #groups = new Map<string, Group>();

  /**
   * Decides on one change of a group, and says who must hear of it. It waits for nothing between its look at the epoch
   * and its decision, so there is a first among those that come at once.
   */
  receive(input: HandlerInput): readonly HandlerMessage[] {
    try {
      return this.#take(input);
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      return [{ type: REJECTED_TYPE, content: { reason: error.reason } }];
    }
  }

  #take(input: HandlerInput): readonly HandlerMessage[] {
    const content = parseMessageContent(input.content);
    if (content === undefined) throw new Rejection('unreadable');
    const { message, commit_info: { welcome } = {} } = content;
    const deviceId = input.device_id ?? content.device_id;
    if (deviceId === undefined) throw new Rejection('not_a_member');
    const from = { userId: input.sender, deviceId };
    const commit = parseCommit(message);
    // Illustration: who sends the first commit of a group has made it. How the service learns of a group is open.
    const groupId = Buffer.from(commit.groupId).toString('hex');
    const group = this.#groups.get(groupId) ?? { epoch: 0n, members: [from] };

    if (!isSameDevice(group.members[commit.leafIndex], from)) throw new Rejection('not_a_member');
    // a gateway hands over a message again after a crash: what was decided stands
    if (group.last?.message === message) return group.last.answer;
    if (commit.epoch !== group.epoch) throw new Rejection('stale_epoch');
    const added = commit.proposals.map(addedDevice);
    if ((welcome !== undefined) !== added.length > 0) throw new Rejection('welcome');

    const answer = [
      ...group.members.map((member) => messageTo(member, COMMIT_TYPE, { message })),
      ...added.map((member) => messageTo(member, WELCOME_TYPE, { welcome: welcome ?? '' })),
    ];
    this.#groups.set(groupId, {
      epoch: group.epoch + 1n,
      members: [...group.members, ...added], // a new member gets the first empty leaf (RFC 9420, section 7.7)
      last: { message, answer },
    });
    return answer;
  }
}

class Rejection extends Error {
  readonly reason: RejectionReason;

  constructor(reason: RejectionReason) {
    super(reason);
    this.reason = reason;
  }
}

interface Commit {
  readonly groupId: Uint8Array;
  readonly epoch: bigint;
  /** Of who made it. */
  readonly leafIndex: number;
  readonly proposals: readonly Proposal[];
}

/** Reads a commit of a member that is not encrypted. It is the members who check its signature. */
function parseCommit(message: string): Commit {
  const { groupId, epoch, sender, ...content } = readPublicMessage(message).content;
  if (content.contentType !== 'commit' || sender.senderType !== 'member') throw new Rejection('unsupported');
  const proposals = content.commit.proposals.map((each) => {
    if (each.proposalOrRefType === 'reference') throw new Rejection('unsupported');
    return each.proposal;
  });
  return { groupId, epoch, leafIndex: sender.leafIndex, proposals };
}

function readPublicMessage(message: string): PublicMessage {
  const read = readMlsMessage(message);
  if (read === undefined) throw new Rejection('unreadable');
  if (read.wireformat !== 'mls_public_message') throw new Rejection('unsupported');
  return read.publicMessage;
}

function readMlsMessage(message: string) {
  try {
    return decodeWhole(decodeMlsMessage, decodeBase64(message));
  } catch {
    return undefined; // it is cut off, or nonsense
  }
}

/** Illustration: members are added, and renew their keys; nothing else is done to a group. */
function addedDevice(proposal: Proposal): Device {
  if (proposal.proposalType !== 'add') throw new Rejection('unsupported');
  const { credential } = proposal.add.keyPackage.leafNode;
  const device = credential.credentialType === 'basic' ? parseIdentity(credential.identity) : undefined;
  if (device === undefined) throw new Rejection('unsupported');
  return device;
}

function messageTo(
  { userId, deviceId }: Device,
  type: string,
  content: HandlerMessage['content'],
): HandlerMessage {
  return { to: userId, device: deviceId, type, content };
}
