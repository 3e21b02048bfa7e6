/**
 * The four JSON shapes of MSC4246, "Proposal", as schemas: what a message has to look like to be one of them.
 *
 * Every member that the proposal shows has to be there. No other may be, but for members of an EDU's content that are
 * named as a vendor's own (`org.matrix.…`).
 */
import { Ajv2020 } from 'ajv/dist/2020.js';

export type Shape = 'client-request' | 'edu-to-server' | 'edu-from-server' | 'sync-event';

/** In the order in which a question and its answer travel. */
export const SHAPES: readonly Shape[] = ['client-request', 'edu-to-server', 'edu-from-server', 'sync-event'];

/** What in `value` is not as the proposal has it; empty when all is. */
export function shapeFaults(shape: Shape, value: unknown): string[] {
  const matches = SCHEMAS[shape];
  if (matches(value)) return [];
  return (matches.errors ?? []).map(
    ({ instancePath, message = 'is wrong' }) => `${instancePath || 'the whole'} ${message}`,
  );
}

/** Members of the content of an EDU beside those of the proposal. */
export function vendorMembers(edu: unknown): string[] {
  const { content = {} } = edu as { content?: object };
  return Object.keys(content).filter((key) => VENDOR_MEMBER.test(key));
}

const SERVER_USER = '^@:[^@:/]+(?::[0-9]+)?$';
const USER = '^@[^@:/]+:[^@:/]+(?::[0-9]+)?$';
const SERVER_DEVICE = '^$';
const DEVICE = '^.+$';
const VENDOR_MEMBER = /^[a-z]+\.[a-z0-9]+\./;
const CONTENT = { type: 'object' };

/** One user, one device. */
function messages(user: string, device: string) {
  return single(user, single(device, CONTENT));
}

function single(key: string, value: object) {
  return {
    type: 'object',
    propertyNames: { pattern: key },
    additionalProperties: value,
    minProperties: 1,
    maxProperties: 1,
  };
}

function exactly(members: Record<string, object>) {
  return {
    type: 'object',
    properties: members,
    required: Object.keys(members),
    additionalProperties: false,
  };
}

function directToDevice(sender: string, recipients: object) {
  const content = exactly({
    message_id: { type: 'string', minLength: 1, maxLength: 32 },
    sender: { type: 'string', pattern: sender },
    type: { type: 'string' },
    messages: recipients,
  });
  return exactly({
    edu_type: { const: 'm.direct_to_device' },
    content: { ...content, patternProperties: { [VENDOR_MEMBER.source]: {} } },
  });
}

const ajv = new Ajv2020({ allErrors: true });
const SCHEMAS = {
  'client-request': ajv.compile(exactly({ messages: messages(SERVER_USER, SERVER_DEVICE) })),
  'edu-to-server': ajv.compile(directToDevice(USER, messages(SERVER_USER, SERVER_DEVICE))),
  'edu-from-server': ajv.compile(directToDevice(SERVER_USER, messages(USER, DEVICE))),
  'sync-event': ajv.compile(
    exactly({
      sender: { type: 'string', pattern: SERVER_USER },
      type: { type: 'string' },
      content: CONTENT,
    }),
  ),
} satisfies Record<Shape, unknown>;
