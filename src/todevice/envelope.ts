/**
 * An envelope: one message with its address, as a line of NDJSON. Ours, no part of Matrix.
 *
 *     {"to":"@:example.org","type":"org.example.whatever","device":"","content":{…},"txn_id":"…"}
 */
import { InvalidInputError } from '../errors.js';
import type { UserId } from '../ids/user-id.js';
import { pointerToken } from '../wire/canonical-json.js';
import type { JsonNode } from '../wire/json.js';
import {
  canonicalContent,
  parseDocument,
  parseEventType,
  parseRecipient,
  parseTransactionId,
  type EventType,
  type OutgoingMessage,
  type TransactionId,
} from './message.js';

export interface Envelope {
  readonly message: OutgoingMessage;
  readonly txnId: TransactionId | undefined;
}

/** What holds for an envelope that does not say it itself. */
export interface EnvelopeDefaults {
  readonly to: UserId | undefined;
  readonly device: string | undefined;
  readonly type: EventType | undefined;
}

/**
 * Reads an envelope. A member that it does not have is refused: `devcie` would send to another device than meant.
 *
 * @throws InvalidInputError as the parsers of message.ts do; also with `reason` `not_an_object`, `unknown_member`,
 *   `duplicate_key`, `missing_member` and `not_a_string`; `at` is a JSON pointer into the envelope
 */
export function parseEnvelope(text: string, defaults: EnvelopeDefaults): Envelope {
  const members = readMembers(parseDocument(text, 'the envelope'));
  const to = stringAt(members, 'to') ?? defaults.to ?? missing('to', 'TO');
  const type = stringAt(members, 'type') ?? defaults.type ?? missing('type', '--type');
  const txnId = stringAt(members, 'txn_id');
  return {
    message: {
      recipient: parseRecipient(to, stringAt(members, 'device') ?? defaults.device),
      type: parseEventType(type),
      content: canonicalContent(members.get('content') ?? missing('content'), '/content'),
    },
    txnId: txnId === undefined ? undefined : parseTransactionId(txnId),
  };
}

type MemberName = (typeof MEMBER_NAMES)[number];

function readMembers(node: JsonNode): ReadonlyMap<MemberName, JsonNode> {
  if (node.kind !== 'object') {
    throw new InvalidInputError('the envelope is not an object', {
      reason: 'not_an_object',
      at: '',
      hint: HINT,
    });
  }
  const members = new Map<MemberName, JsonNode>();
  for (const { key, value } of node.members) {
    const name = MEMBER_NAMES.find((each) => each === key);
    if (name === undefined) throw unreadable('unknown_member', key, 'which no envelope has');
    if (members.has(name)) throw unreadable('duplicate_key', key, 'twice');
    members.set(name, value);
  }
  return members;
}

function stringAt(members: ReadonlyMap<MemberName, JsonNode>, name: MemberName): string | undefined {
  const node = members.get(name);
  if (node === undefined || node.kind === 'string') return node?.value;
  throw unreadable('not_a_string', name, 'which is not a string');
}

function missing(name: MemberName, flag?: string): never {
  const elsewhere = flag === undefined ? '' : `, and ${flag} was not given`;
  throw new InvalidInputError(`the envelope has no ${name}${elsewhere}`, {
    reason: 'missing_member',
    at: `/${name}`,
    hint: HINT,
  });
}

function unreadable(reason: string, key: string, how: string): InvalidInputError {
  return new InvalidInputError(`the envelope has ${JSON.stringify(key)}, ${how}`, {
    reason,
    at: `/${pointerToken(key)}`,
    hint: HINT,
  });
}

const MEMBER_NAMES = ['to', 'type', 'device', 'content', 'txn_id'] as const;
const HINT = 'an envelope is {"to":…,"type":…,"content":{…}}, with "device" and "txn_id" if need be';
