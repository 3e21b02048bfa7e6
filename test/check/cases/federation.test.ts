/** The probes with a second server, in front of homeservers that break one rule each. */
import { describe, expect, it } from 'vitest';
import type { Bench } from '../../../src/check/bench.js';
import { IDENTITY_FEDERATION_PROBES } from '../../../src/check/cases/identity-federation.js';
import { RECEIVER_FEDERATION_PROBES } from '../../../src/check/cases/receiver-federation.js';
import { SENDER_FEDERATION_PROBES } from '../../../src/check/cases/sender-federation.js';
import { SUBSYSTEM_FEDERATION_PROBES } from '../../../src/check/cases/subsystem-federation.js';
import { TO_USER_FEDERATION_PROBES } from '../../../src/check/cases/to-user-federation.js';
import { inconclusive, type Finding } from '../../../src/check/probe.js';
import { MatrixError } from '../../../src/errors.js';
import { ALICE, SECOND, SERVER_USER, modelBench, type Rules } from '../model-server.js';

const PROBES = [
  ...SENDER_FEDERATION_PROBES,
  ...RECEIVER_FEDERATION_PROBES,
  ...IDENTITY_FEDERATION_PROBES,
  ...TO_USER_FEDERATION_PROBES,
  ...SUBSYSTEM_FEDERATION_PROBES,
];

/** What each probe finds, but for those that pass; as in a run, an error that it throws is inconclusive. */
async function blamed(bench: Bench): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for (const { requirement, run } of PROBES) {
    const { verdict, basis } = await run(bench, new AbortController().signal).catch(inconclusiveOf);
    if (verdict !== 'pass') found[requirement] = basis === undefined ? verdict : `${verdict}, ${basis}`;
  }
  return found;
}

function inconclusiveOf(error: unknown): Finding {
  if (error instanceof MatrixError) return inconclusive(error.message);
  throw error;
}

const CASES: readonly (readonly [string, Partial<Rules>, Readonly<Record<string, string>>])[] = [
  ['nothing', {}, {}],
  [
    'sends "*" on as it is',
    { devicesOfServer: (devices) => devices },
    { 'R-10': 'fail', 'R-12': 'fail', 'R-13': 'fail' },
  ],
  [
    'does not send "*" on',
    { devicesOfServer: ({ '': named }) => (named ? { '': named } : {}) },
    { 'R-10': 'fail' },
  ],
  [
    'lets "*" win over ""',
    { devicesOfServer: ({ '': named, '*': all }) => ({ '': all ?? named ?? {} }) },
    { 'R-12': 'fail' },
  ],
  [
    'sends on to any device',
    {
      devicesOfServer: ({ '': named, '*': all, ...more }) =>
        (named ?? all) ? { '': named ?? all ?? {} } : more,
    },
    { 'R-13': 'fail' },
  ],
  ['sends on to "" of a user', { devicesOfUser: (devices) => devices }, { 'R-13': 'fail' }],
  [
    'refuses messages to other servers',
    { refusal: (_type, userId) => (userId === `@:${SECOND}` ? 400 : undefined) },
    { 'R-9': 'fail', 'R-10': 'fail', 'R-12': 'fail', 'R-13': 'fail', 'R-14': 'fail' },
  ],
  [
    'refuses messages to whomever it does not have itself',
    { refusal: (_type, userId) => (userId.endsWith(SECOND) ? 403 : undefined) },
    Object.fromEntries(['R-9', 'R-10', 'R-12', 'R-13', 'R-14'].map((id) => [id, 'inconclusive'])),
  ],
  [
    'gives no message_id',
    { outgoing: (edu) => [{ edu_type: 'm.direct_to_device', content: { ...edu, message_id: undefined } }] },
    { 'R-14': 'fail, spec' },
  ],
  [
    'gives a message_id of 33 code points',
    {
      outgoing: (edu) => [
        { edu_type: 'm.direct_to_device', content: { ...edu, message_id: '💬'.repeat(33) } },
      ],
    },
    { 'R-14': 'fail, spec' },
  ],
  [
    'gives each message the same message_id',
    { outgoing: (edu) => [{ edu_type: 'm.direct_to_device', content: { ...edu, message_id: 'm' } }] },
    { 'R-14': 'fail, spec' },
  ],
  [
    'sends an EDU again, in another transaction',
    {
      outgoing: (edu) => [
        { edu_type: 'm.direct_to_device', content: edu },
        { edu_type: 'm.direct_to_device', content: edu },
      ],
    },
    {},
  ],
  [
    'sends an EDU with more members, and a message_id of 32 code points',
    {
      outgoing: (edu) => [
        {
          edu_type: 'm.direct_to_device',
          content: {
            ...edu,
            message_id: `💬${edu.message_id.padStart(31, 'm')}`,
            'org.matrix.opentracing_context': '{}',
          },
        },
      ],
    },
    {},
  ],
  ['sends as somebody else', { sender: () => `@bob:model.test` }, { 'R-14': 'fail', 'R-30': 'fail' }],
  ['sends as whom the request names', { sender: ({ sender = ALICE }) => sender }, { 'R-30': 'fail' }],
  [
    'reaches no other server',
    { reaches: () => false },
    Object.fromEntries(
      ['R-9', 'R-10', 'R-12', 'R-13', 'R-14', 'R-17', 'R-19', 'R-27', 'R-30', 'R-35', 'R-36'].map((id) => [
        id,
        'inconclusive',
      ]),
    ),
  ],
  [
    'has a device list',
    { devices: () => ({ user_id: SERVER_USER, stream_id: 1, devices: [{ device_id: '', keys: {} }] }) },
    { 'R-11': 'fail' },
  ],
  [
    'has an empty device list of its own',
    { devices: (userId) => (userId === SERVER_USER ? { user_id: userId, stream_id: 1, devices: [] } : 404) },
    { 'R-11': 'fail' },
  ],
  [
    'has an empty device list of anybody',
    { devices: (userId) => ({ user_id: userId, stream_id: 1, devices: [] }) },
    {},
  ],
  ['tells nobody of devices', { devices: () => 403 }, { 'R-11': 'inconclusive' }],
  [
    'sends m.device_list_update',
    {
      outgoing: (edu) => [
        { edu_type: 'm.device_list_update', content: { user_id: SERVER_USER } },
        { edu_type: 'm.direct_to_device', content: edu },
      ],
    },
    { 'R-11': 'fail' },
  ],
  ['believes every sender', { believes: () => true }, { 'R-16': 'fail' }],
  [
    'believes who speaks as itself',
    { believes: (sender) => sender.endsWith(SECOND) || sender === SERVER_USER },
    { 'R-16': 'fail' },
  ],
  [
    'hands no @:d on',
    { believes: (sender) => sender.endsWith(SECOND) && !sender.startsWith('@:') },
    { 'R-28': 'fail' },
  ],
  ['takes a message_id again', { knowsMessageIds: false }, { 'R-18': 'fail' }],
  [
    'delivers no EDU',
    { delivers: () => false },
    { 'R-16': 'inconclusive', 'R-18': 'inconclusive', 'R-19': 'inconclusive', 'R-28': 'inconclusive' },
  ],
  [
    'takes no transaction',
    { transactionStatus: () => 401 },
    Object.fromEntries(
      ['R-16', 'R-17', 'R-18', 'R-19', 'R-27', 'R-28', 'R-35', 'R-36'].map((id) => [id, 'inconclusive']),
    ),
  ],
  [
    'fails at an unknown EDU',
    { transactionStatus: (types) => (types.includes('mx2s.check.unknown') ? 500 : 200) },
    { 'R-19': 'fail' },
  ],
  [
    'answers whatever comes',
    { answersEdu: ({ sender }) => !sender.startsWith('@:') },
    { 'R-19': 'inconclusive' },
  ],
  [
    'answers nobody',
    { answersUsers: false, answersEdu: () => false },
    {
      'R-17': 'inconclusive',
      'R-19': 'inconclusive',
      'R-27': 'inconclusive',
      'R-35': 'inconclusive',
      'R-36': 'inconclusive',
    },
  ],
  [
    'answers its own users only',
    { answersEdu: () => false },
    {
      'R-17': 'inconclusive',
      'R-19': 'inconclusive',
      'R-27': 'inconclusive',
      'R-35': 'inconclusive',
      'R-36': 'inconclusive',
    },
  ],
  [
    'does not answer what came for "*"',
    {
      answersEdu: ({ sender, type }, device) =>
        type === 'mx2s.ping' && !sender.startsWith('@:') && device === '',
    },
    { 'R-17': 'fail' },
  ],
  ['has a profile of @:d', { profile: (userId) => (userId === SERVER_USER ? {} : 404) }, { 'R-23': 'fail' }],
  ['has a profile of anybody', { profile: () => ({}) }, {}],
  ['tells nobody of profiles', { profile: () => 403 }, {}],
  [
    'tells nobody of the profile of @:d',
    { profile: (userId) => (userId === SERVER_USER ? 403 : 404) },
    { 'R-23': 'inconclusive' },
  ],
  ['answers as somebody else', { answerSender: '@bot:model.test' }, { 'R-27': 'fail' }],
  ['answers all devices', { answerDevice: () => '*' }, { 'R-35': 'fail' }],
  [
    'answers a device that it was not asked from',
    { answerDevice: (named) => named ?? 'OTHER' },
    { 'R-35': 'fail' },
  ],
  [
    'answers a device of its own choice',
    { answerDevice: () => 'OTHER' },
    { 'R-27': 'fail, reading', 'R-35': 'fail' },
  ],
  ['answers another @:d', { answersEdu: ({ type }) => type === 'mx2s.ping' }, { 'R-36': 'fail' }],
];

describe('a homeserver that', () => {
  it.each(CASES)('%s', async (_what, broken, expected) => {
    expect(await blamed(modelBench(broken))).toEqual(expected);
  });
});

it.each<[string, Partial<Rules>, boolean]>([
  ['with mail in both directions', {}, false],
  ['that is written to only', { reaches: () => false }, false],
  ['that writes only', { delivers: () => false }, false],
  ['without mail in either', { reaches: () => false, delivers: () => false }, true],
])('a second server %s is cut off or not', async (_how, broken, isCutOff) => {
  const bench = modelBench(broken);
  expect(bench.isSecondCutOff).toBe(false);
  await blamed(bench);
  expect(bench.isSecondCutOff).toBe(isCutOff);
});

describe('a finding', () => {
  it('says what was seen', async () => {
    const probe = PROBES.find(({ requirement }) => requirement === 'R-10');
    const bench = modelBench({ devicesOfServer: (devices) => devices });
    expect(await probe?.run(bench, new AbortController().signal)).toEqual({
      verdict: 'fail',
      seen: `"*" was sent to @:${SECOND} as "*"`,
    });
  });
});
