/** what the homeserver of a sender does, as far as another server sees it. */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE } from '../../ids/device-id.js';
import { DIRECT_TO_DEVICE } from '../../todevice/edu.js';
import { encodeJson, member, parseJson, stringMember, type JsonNode } from '../../wire/json.js';
import { equalJson } from '../../wire/json-equal.js';
import type { Bench } from '../bench.js';
import {
  DEVICE,
  MESSAGE_TYPE,
  NAME,
  devicesOf,
  nothingHeard,
  secondOf,
  sendAndHear,
  type HeardLetter,
} from '../federated.js';
import { answered, cut, refusalOf, refused } from '../judging.js';
import { fail, inconclusive, pass, type Finding, type Probe } from '../probe.js';

export const SENDER_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-9',
    part: "another server's @:d",
    needs: ['federation'],
    run: accepted(async (bench, signal) => {
      const { serverUser } = secondOf(bench);
      const { letters, isComplete } = await sendToServer(bench, { [SERVER_DEVICE_ID]: {} }, signal);
      if (letters.length > 0) return pass(`a message to ${serverUser} was answered 200, and came`);
      return isComplete
        ? fail(`a message to ${serverUser} was answered 200, and not sent on; a later one was`)
        : nothingHeard(bench);
    }),
  },
  {
    requirement: 'R-10',
    part: "another server's @:d",
    needs: ['federation'],
    run: accepted(async (bench, signal) => {
      const { requests, serverUser } = secondOf(bench);
      const before = requests.length;
      const { letters, isComplete } = await sendToServer(bench, { [WILDCARD_DEVICE]: {} }, signal);
      const devices = devicesOf(letters);
      if (devices.length === 0)
        return isComplete ? fail('"*" was not sent on; a later message was') : nothingHeard(bench);
      if (devices.some((device) => device !== SERVER_DEVICE_ID)) {
        return fail(`"*" was sent to ${serverUser} as ${quoted(devices)}`);
      }
      const lookUp = requests.slice(before).find((request) => DEVICE_LOOK_UP.test(request));
      if (lookUp !== undefined) return fail(`"*" was sent as "" after ${cut(lookUp)}`, 'reading');
      return pass(`"*" was sent to ${serverUser} as ""`);
    }),
  },
  {
    requirement: 'R-11',
    part: 'device list over federation',
    needs: ['federation'],
    run: async (bench, signal) => {
      const second = secondOf(bench);
      const update = second.heard.all.find(
        (edu) =>
          stringMember(edu, 'edu_type') === 'm.device_list_update' &&
          stringMember(member(edu, 'content'), 'user_id') === bench.serverUser,
      );
      if (update !== undefined) return fail(`m.device_list_update came: ${cut(encodeJson(update))}`);
      const ask = (userId: string) =>
        second
          .ask(`/_matrix/federation/v1/user/devices/${encodeURIComponent(userId)}`, signal)
          .catch(refusalOf);
      const answer = await ask(bench.serverUser);
      if (answer instanceof Error) {
        return answer.status === 404 ? pass(answered(answer)) : inconclusive(answered(answer));
      }
      const devices = member(answer, 'devices');
      if (devices?.kind !== 'array' || devices.items.length > 0) {
        return fail(`answered 200: ${cut(encodeJson(answer))}`);
      }
      const nobody = await ask(`@${bench.nonce()}:${bench.serverName}`);
      return nobody instanceof Error
        ? fail('answered 200, with an empty list')
        : pass('answered with no device, as for anybody who does not exist');
    },
  },
  {
    requirement: 'R-12',
    part: "another server's @:d",
    needs: ['federation'],
    run: accepted(async (bench, signal) => {
      const devices = {
        [WILDCARD_DEVICE]: { said_to: WILDCARD_DEVICE },
        [SERVER_DEVICE_ID]: { said_to: SERVER_DEVICE_ID },
      };
      const { letters, isComplete } = await sendToServer(bench, devices, signal);
      if (!isComplete) return nothingHeard(bench);
      const [only, ...more] = letters.flatMap(({ deliveries }) => deliveries);
      if (only === undefined) return fail('of "*" and "" neither was sent on; a later message was');
      const isRight =
        only.device === SERVER_DEVICE_ID && stringMember(only.content, 'said_to') === SERVER_DEVICE_ID;
      if (isRight && more.length === 0) return pass('of "*" and "" what was for "" was sent, once');
      return fail(`"*" and "" beside each other were sent as ${quoted(devicesOf(letters))}`);
    }),
  },
  {
    requirement: 'R-13',
    part: 'over federation',
    needs: ['federation'],
    run: accepted(async (bench, signal) => {
      const second = secondOf(bench);
      const user = second.user(NAME);
      const { letters, isComplete } = await sendAndHear(
        bench,
        (nonce) => ({
          [second.serverUser]: { [DEVICE]: { nonce } },
          [user]: { [SERVER_DEVICE_ID]: { nonce } },
        }),
        signal,
      );
      const sent = letters.flatMap(({ deliveries }) =>
        deliveries.map(({ to, device }) => `"${device}" of ${to}`),
      );
      if (sent.length > 0) return fail(`a message was sent on to ${sent.map(cut).join(' and ')}`);
      if (!isComplete) return nothingHeard(bench);
      return pass(
        `messages to "${DEVICE}" of ${second.serverUser} and "" of ${user} were answered 200, and not sent on`,
      );
    }),
  },
  {
    requirement: 'R-14',
    needs: ['federation'],
    run: accepted(async (bench, signal) => {
      const devices = { [SERVER_DEVICE_ID]: CONTENT };
      const one = await sendToServer(bench, devices, signal);
      const other = await sendToServer(bench, devices, signal);
      for (const { letters, isComplete } of [one, other]) {
        if (letters.length > 0) continue;
        return isComplete ? fail('a message was not sent on; a later one was') : nothingHeard(bench);
      }
      const letters = [...one.letters, ...other.letters];
      const fault = letters.map((letter) => faultOf(letter, bench)).find((each) => each !== undefined);
      if (fault !== undefined) return fault;
      const ids = one.letters.map(({ messageId }) => messageId);
      const shared = other.letters.find(({ messageId }) => ids.includes(messageId));
      return shared === undefined
        ? pass(`a message came as ${DIRECT_TO_DEVICE} to "", with the message_id ${quoted(ids.slice(0, 1))}`)
        : fail(`two messages came with the message_id ${quoted([shared.messageId])}`, 'spec');
    }),
  },
];

/** a message that is refused was to be accepted. */
function accepted(look: Probe['run']): Probe['run'] {
  return (bench, signal) =>
    look(bench, signal).catch((error: unknown) => {
      const seen = `a message was ${answered(refusalOf(error))}`;
      return refused(bench, seen, { userId: secondOf(bench).user(NAME), deviceId: DEVICE }, signal);
    });
}

/** Sends to devices of the second server's user; each content gets the nonce by which it is known. */
function sendToServer(bench: Bench, devices: Readonly<Record<string, object>>, signal: AbortSignal) {
  const contents = (nonce: string) =>
    Object.fromEntries(Object.entries(devices).map(([device, content]) => [device, { ...content, nonce }]));
  return sendAndHear(bench, (nonce) => ({ [secondOf(bench).serverUser]: contents(nonce) }), signal);
}

/** What is wrong with a letter that is one of `sendToServer`; undefined when nothing is. */
function faultOf({ sender, type, messageId, deliveries }: HeardLetter, bench: Bench): Finding | undefined {
  const { account } = bench;
  const { serverUser } = secondOf(bench);
  if (sender !== account.userId)
    return fail(`the sender of the EDU is ${quoted([sender])}, not ${account.userId}`);
  if (type !== MESSAGE_TYPE) return fail(`the type in the EDU is ${quoted([type])}, not ${MESSAGE_TYPE}`);
  const [only, ...more] = deliveries;
  if (only?.to !== serverUser || more.length > 0) return fail(`the EDU is not for ${serverUser} only`);
  if (only.device !== SERVER_DEVICE_ID) return fail(`the EDU is for the device ${quoted([only.device])}`);
  if (!Object.entries(CONTENT).every(([key, value]) => holds(only.content, key, value))) {
    return fail(`the content came changed: ${cut(encodeJson(only.content))}`, 'spec');
  }
  if (messageId === undefined || [...messageId].length > MAX_MESSAGE_ID_CODE_POINTS) {
    return fail(
      `the message_id is no string of at most ${MAX_MESSAGE_ID_CODE_POINTS} code points: ${quoted([messageId])}`,
      'spec',
    );
  }
  return undefined;
}

function holds(content: JsonNode, key: string, value: unknown): boolean {
  const node = member(content, key);
  return node !== undefined && equalJson(node, parseJson(JSON.stringify(value)));
}

/** Text of the server, as JSON writes strings. */
function quoted(texts: readonly (string | undefined)[]): string {
  return texts.map((text) => (text === undefined ? 'nothing' : cut(JSON.stringify(text)))).join(' and ');
}

/** Something of each kind of value, that every server has to pass on as it is. */
const CONTENT = { text: 'é \u{1f408} "\\', integer: 9_007_199_254_740_991, nested: [{}, null, true, -1] };
const DEVICE_LOOK_UP =
  /^GET \/_matrix\/federation\/v1\/user\/devices\/|^POST \/_matrix\/federation\/v1\/user\/keys\/query/;
const MAX_MESSAGE_ID_CODE_POINTS = 32;
