import { describe, expect, it } from 'vitest';
import { shapeFaults, SHAPES, vendorMembers, type Shape } from './shapes.js';

const CONTENT = { example_content: 'value' };
const TO_SERVER = { '@:example.org': { '': CONTENT } };

/** The proposal's own examples. */
const EXAMPLES: Record<Shape, object> = {
  'client-request': { messages: TO_SERVER },
  'edu-to-server': edu('@alice:remote.example.org', TO_SERVER),
  'edu-from-server': edu('@:example.org', { '@alice:remote.example.org': { AAAABBBB: CONTENT } }),
  'sync-event': { sender: '@:example.org', type: 'org.example.whatever', content: CONTENT },
};

describe('the shapes', () => {
  it.each(SHAPES)('%s: take the example of the proposal, and none of another shape', (shape) => {
    for (const [name, example] of Object.entries(EXAMPLES)) {
      const faults = shapeFaults(shape, example);
      if (name === shape) expect(faults).toEqual([]);
      else expect(faults, name).not.toEqual([]);
    }
  });

  const wrong: [what: string, Shape, unknown][] = [
    ['a request for a user', 'client-request', { messages: { '@alice:example.org': { '': CONTENT } } }],
    ['a request for all devices', 'client-request', { messages: { '@:example.org': { '*': CONTENT } } }],
    ['a request whose content is a string', 'client-request', { messages: { '@:example.org': { '': 'x' } } }],
    ['a request with a second member', 'client-request', { messages: TO_SERVER, type: 'x' }],
    ['an EDU of another type', 'edu-to-server', { ...EXAMPLES['edu-to-server'], edu_type: 'm.typing' }],
    ['an EDU to a server, of a server', 'edu-to-server', edu('@:remote.example.org', TO_SERVER)],
    [
      'a message ID of 33 characters',
      'edu-to-server',
      edu('@a:b', TO_SERVER, { message_id: 'x'.repeat(33) }),
    ],
    ['an EDU with a member of no vendor', 'edu-to-server', edu('@a:b', TO_SERVER, { origin: 'b' })],
    ['an EDU of a server for device ""', 'edu-from-server', edu('@:b', { '@a:c': { '': CONTENT } })],
    ['an event with an ID', 'sync-event', { ...EXAMPLES['sync-event'], event_id: '$x' }],
    ['an event of a user', 'sync-event', { ...EXAMPLES['sync-event'], sender: '@alice:example.org' }],
    ['an event without content', 'sync-event', { sender: '@:example.org', type: 'x' }],
    ['nothing', 'sync-event', undefined],
  ];
  it.each(wrong)('refuse %s', (_what, shape, value) => {
    expect(shapeFaults(shape, value)).not.toEqual([]);
  });

  it('let a vendor add to the content of an EDU, and tell', () => {
    const traced = edu('@a:b', TO_SERVER, { 'org.matrix.opentracing_context': '{}' });
    expect(shapeFaults('edu-to-server', traced)).toEqual([]);
    expect(vendorMembers(traced)).toEqual(['org.matrix.opentracing_context']);
    expect(vendorMembers(EXAMPLES['edu-to-server'])).toEqual([]);
  });
});

function edu(sender: string, messages: object, more: object = {}): object {
  const content = { message_id: 'm1', sender, type: 'org.example.whatever', messages, ...more };
  return { edu_type: 'm.direct_to_device', content };
}
