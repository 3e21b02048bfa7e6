/** What the probes do with the second server: letters to the server under test and its users, and what is heard of them. */
import { MatrixError } from '../errors.js';
import { SERVER_DEVICE_ID } from '../ids/device-id.js';
import type { UserId } from '../ids/user-id.js';
import { DIRECT_TO_DEVICE, encodeDirectToDevice } from '../todevice/edu.js';
import { encodeJson, jsonTextOf, member, stringMember, type JsonNode, type JsonText } from '../wire/json.js';
import { LATE_MS, type Bench, type Collected, type PlainMessages } from './bench.js';
import { inconclusive, type Finding } from './probe.js';
import type { SecondServer } from './second-server.js';

/** The second server; no probe that needs one is run without. */
export function secondOf({ second }: Bench): SecondServer {
  if (second === undefined)
    throw new Error('there is no second server, and the probe does not say that it needs one');
  return second;
}

/** A to-device message that the second server sends. */
export interface Letter {
  readonly from: UserId;
  readonly to: UserId;
  readonly device: string;
  readonly type: string;
  readonly content: object;
}

/** The letter as an EDU, with a `message_id` that was never used. */
export function encodeLetter({ chance }: Bench, { from, to, device, type, content }: Letter): JsonText {
  return encodeDirectToDevice({
    sender: from,
    type,
    messageId: chance.uuid().replaceAll('-', ''), // 32 code points, and no more are allowed
    messages: new Map([[to, new Map([[device, jsonTextOf(content)]])]]),
  });
}

/** An `m.direct_to_device` EDU as it was heard: what is wrong with it is what a probe looks for. */
export interface HeardLetter {
  readonly sender: string | undefined;
  readonly type: string | undefined;
  readonly messageId: string | undefined;
  /** Each device that it names. */
  readonly deliveries: readonly Delivery[];
}

export interface Delivery {
  readonly to: string;
  readonly device: string;
  readonly content: JsonNode;
}

/** Every letter that was heard so far and holds `nonce`; one that came again, in another transaction, is one. */
export function lettersWith(second: SecondServer, nonce: string): HeardLetter[] {
  const edus = new Map(second.heard.all.map((edu) => [encodeJson(edu), edu]));
  return [...edus.values()].map((edu) => readLetter(edu, nonce)).filter((letter) => letter !== undefined);
}

/** The first letter that holds `nonce`; undefined when none came in time. */
export function letterWith(
  bench: Bench,
  nonce: string,
  signal: AbortSignal,
): Promise<HeardLetter | undefined> {
  return secondOf(bench).heard.first((edu) => readLetter(edu, nonce), bench.waitMs, signal);
}

/** The devices that letters are for, as the sender wrote them. */
export function devicesOf(letters: readonly HeardLetter[]): string[] {
  return letters.flatMap(({ deliveries }) => deliveries.map(({ device }) => device));
}

/** Sends from our account to names at the second server, and gives what that heard of it. */
export async function sendAndHear(
  bench: Bench,
  messages: (nonce: string) => PlainMessages,
  signal: AbortSignal,
): Promise<{
  readonly letters: readonly HeardLetter[];
  /** Something that was sent later came, so that what did not come until then was not sent. */
  readonly isComplete: boolean;
}> {
  const second = secondOf(bench);
  const [nonce, laterNonce] = [bench.nonce(), bench.nonce()];
  await bench.send(bench.account, MESSAGE_TYPE, messages(nonce), signal);
  await bench.send(
    bench.account,
    LATER_TYPE,
    { [second.serverUser]: { [SERVER_DEVICE_ID]: { nonce: laterNonce } } },
    signal,
  );
  const later = await letterWith(bench, laterNonce, signal);
  if (later !== undefined) await bench.clock.sleep(LATE_MS, signal);
  return { letters: lettersWith(second, nonce), isComplete: later !== undefined };
}

/** How to ask from the second server. */
export interface Question {
  /** Default: an ordinary user. */
  readonly from?: UserId | undefined;
  /** Default `""`. */
  readonly device?: string | undefined;
  /** What the content says of who asks; default nothing. */
  readonly deviceId?: string | undefined;
}

/**
 * Sends the probe type to the server user from the second server, and gives the nonce that an answer will hold.
 * @throws MatrixError when it is not taken
 */
export async function pingFrom(bench: Bench, question: Question, signal: AbortSignal): Promise<string> {
  const second = secondOf(bench);
  const nonce = bench.nonce();
  const { from = second.user(NAME), device = SERVER_DEVICE_ID, deviceId } = question;
  const content = deviceId === undefined ? { nonce } : { nonce, device_id: deviceId };
  const letter = { from, to: bench.serverUser, device, type: bench.probeType, content };
  await second.say([encodeLetter(bench, letter)], signal);
  return nonce;
}

/** The same, and waits for the answer; undefined when none came in time. */
export async function askFrom(
  bench: Bench,
  question: Question,
  signal: AbortSignal,
): Promise<HeardLetter | undefined> {
  return letterWith(bench, await pingFrom(bench, question, signal), signal);
}

/** Sends a letter to our account that should come, and says whether it did, and what came before it. */
export async function bar(bench: Bench, signal: AbortSignal): Promise<Collected> {
  const second = secondOf(bench);
  const { userId: to, deviceId: device } = bench.account;
  const nonce = bench.nonce();
  const letter = { from: second.user(NAME), to, device, type: LATER_TYPE, content: { nonce } };
  await second.say([encodeLetter(bench, letter)], signal);
  return bench.collectPast(bench.account, nonce, signal);
}

/** For `catch`: the error as what a transaction was answered with, which may be a failure. @throws what is no answer */
export function notTaken(error: unknown): MatrixError {
  if (error instanceof MatrixError) return error;
  throw error;
}

/** Nothing of what was to be sent on came. */
export function nothingHeard(bench: Bench): Finding {
  const { serverName } = secondOf(bench);
  return inconclusive(
    `nothing came to ${serverName} within ${secondsOf(bench)} s: does the server reach it?`,
  );
}

/** Not even what has to come came to our account. */
export function nothingDelivered(bench: Bench): Finding {
  const { userId } = bench.account;
  return inconclusive(
    `no EDU came to ${userId} within ${secondsOf(bench)} s, not even one that nothing speaks against`,
  );
}

/** The subsystem answers our account, but nobody on the second server. */
export function noAnswerFrom(bench: Bench): Finding {
  const { serverName } = secondOf(bench);
  return inconclusive(`${bench.probeType} from ${serverName} was not answered within ${secondsOf(bench)} s`);
}

function readLetter(edu: JsonNode, nonce: string): HeardLetter | undefined {
  if (stringMember(edu, 'edu_type') !== DIRECT_TO_DEVICE || !encodeJson(edu).includes(nonce))
    return undefined;
  const content = member(edu, 'content');
  return {
    sender: stringMember(content, 'sender'),
    type: stringMember(content, 'type'),
    messageId: stringMember(content, 'message_id'),
    deliveries: membersOf(member(content, 'messages')).flatMap(({ key: to, value: devices }) =>
      membersOf(devices).map(({ key: device, value }) => ({ to, device, content: value })),
    ),
  };
}

function secondsOf({ waitMs }: Bench): string {
  return String(waitMs / 1000);
}

function membersOf(node: JsonNode | undefined) {
  return node?.kind === 'object' ? node.members : [];
}

/** Who asks and is written to at the second server: nobody, so that nothing is kept for them. */
export const NAME = 'mx2s-check';
/** A device of theirs. */
export const DEVICE = 'MX2SCHECK';
/** What a probe sends, and what it sends after it to see that the way is open. */
export const MESSAGE_TYPE = 'mx2s.check.message';
export const LATER_TYPE = 'mx2s.check.later';
