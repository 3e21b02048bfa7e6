/**
 * What clients and the delivery service send each other.
 *
 * From MSC4244, a draft: that there are `mls.message`, `mls.commit` and `mls.rejected`, what is in `mls.message`, and
 * that KeyPackages are one-time keys. The draft leaves the rest open (TODO), and gives no unstable prefix yet: what is
 * marked "illustration" below is ours, and no proposal for what the draft should say.
 */

/** To `@:domain`: a change of a group. */
export const MESSAGE_TYPE = 'org.matrix.msc4244.mls.message';
/** From the server: a change that it took. */
export const COMMIT_TYPE = 'org.matrix.msc4244.mls.commit';
/** From the server: why it did not take a change. */
export const REJECTED_TYPE = 'org.matrix.msc4244.mls.rejected';
/** From the server, to who was added. Illustration: the draft has no type for it. */
export const WELCOME_TYPE = 'org.matrix.msc4244.mls.welcome';
/** From device to device. Illustration: in the draft messages are events of a room, and `serve` has no rooms. */
export const APPLICATION_TYPE = 'org.example.mls.application';

/** Of KeyPackages among one-time keys (MSC4244, "KeyPackages"). */
export const KEY_ALGORITHM = 'mls';

/** A KeyPackage as a one-time key (MSC4244, "KeyPackages"). */
export interface PublishedKey {
  /** A KeyPackage of RFC 9420, in base64 without padding. */
  readonly key: string;
  /** Illustration: a KeyPackage has its signature in itself, but Synapse takes no key object without this. */
  readonly signatures: Readonly<Record<string, never>>;
}

/** Content of `mls.message` (MSC4244, "Proposal"). */
export interface MessageContent {
  /** An MLSMessage of RFC 9420 that holds a commit, in base64 without padding. */
  readonly message: string;
  readonly commit_info?: {
    /** A Welcome of RFC 9420, in base64 without padding. */ readonly welcome?: string;
  };
  /**
   * The device that sends. Illustration: only a homeserver knows which device a message is from, and only of its own
   * users; others, and a service behind `mx2s gateway`, have to be told.
   */
  readonly device_id?: string;
}

/** Reads what a client sent; undefined for what is something else. */
export function parseMessageContent(content: unknown): MessageContent | undefined {
  const { message, commit_info, device_id } = (content ?? {}) as Record<string, unknown>;
  const { welcome } = (commit_info ?? {}) as Record<string, unknown>;
  if (typeof message !== 'string') return undefined;
  if (welcome !== undefined && typeof welcome !== 'string') return undefined;
  if (device_id !== undefined && typeof device_id !== 'string') return undefined;
  return {
    message,
    ...(welcome !== undefined && { commit_info: { welcome } }),
    ...(device_id !== undefined && { device_id }),
  };
}

/** Content of `mls.commit`. Illustration. */
export type CommitContent = Pick<MessageContent, 'message'>;

/** Content of `mls.welcome`. Illustration. */
export interface WelcomeContent {
  readonly welcome: string;
}

/** Content of `mls.rejected`. Illustration. */
export interface RejectedContent {
  readonly reason: RejectionReason;
}

/**
 * Why a change was not taken. `stale_epoch`: another commit came first, so make a new one on top of it. `not_a_member`:
 * the commit is not signed as the device that sent it. `welcome`: there is one without a new member, or the reverse.
 */
export type RejectionReason = 'unreadable' | 'unsupported' | 'stale_epoch' | 'not_a_member' | 'welcome';

/** One device of one user: a member of a group is a device, never a user (MSC4244, "Proposal"). */
export interface Device {
  readonly userId: string;
  readonly deviceId: string;
}

/** Illustration: the identity of a device in its credential. What makes a credential good is open in the draft. */
export function encodeIdentity({ userId, deviceId }: Device): Uint8Array {
  return new TextEncoder().encode(JSON.stringify([userId, deviceId]));
}

/** The device that an identity names; undefined for one that is none. */
export function parseIdentity(identity: Uint8Array): Device | undefined {
  try {
    const [userId, deviceId] = JSON.parse(new TextDecoder().decode(identity)) as unknown[];
    return typeof userId === 'string' && typeof deviceId === 'string' ? { userId, deviceId } : undefined;
  } catch {
    return undefined;
  }
}

export function isSameDevice(one: Device | undefined, other: Device): boolean {
  return one?.userId === other.userId && one.deviceId === other.deviceId;
}

/** @see Matrix v1.19, Appendices, "Unpadded Base64" */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replace(/=+$/, '');
}

export function decodeBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Reads all of `bytes`; undefined for what is something else, or longer. */
export function decodeWhole<T>(
  decode: (bytes: Uint8Array, offset: number) => [T, number] | undefined,
  bytes: Uint8Array,
): T | undefined {
  const [value, length] = decode(bytes, 0) ?? [];
  return length === bytes.length ? value : undefined;
}
