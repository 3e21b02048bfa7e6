/** who speaks to users of another server, and whom a homeserver lets speak to its own. */
import { sendToDevicePath } from '../../client/send-to-device.js';
import { WILDCARD_DEVICE } from '../../ids/device-id.js';
import { jsonTextOf } from '../../wire/json.js';
import { holdsNonce } from '../bench.js';
import {
  DEVICE,
  MESSAGE_TYPE,
  NAME,
  askFrom,
  bar,
  encodeLetter,
  letterWith,
  noAnswerFrom,
  nothingDelivered,
  nothingHeard,
  secondOf,
} from '../federated.js';
import { answered, byReply, cut, refusalOf } from '../judging.js';
import { fail, pass, type Probe } from '../probe.js';

export const TO_USER_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-27',
    needs: ['federation'],
    run: byReply(async (bench, signal) => {
      const from = secondOf(bench).user(NAME);
      const answer = await askFrom(bench, { from, deviceId: DEVICE }, signal);
      if (answer === undefined) return noAnswerFrom(bench);
      const { sender, deliveries } = answer;
      if (sender !== bench.serverUser)
        return fail(`the answer came from ${cut(String(sender))}, not ${bench.serverUser}`);
      const isRight = deliveries.every(
        ({ to, device }) => to === from && [DEVICE, WILDCARD_DEVICE].includes(device),
      );
      // the proposal does not say whom a server answers, nor where it has the device from (A10 of docs/evidence/ambiguities.md)
      if (!isRight || deliveries.length === 0)
        return fail(`the answer is not for the devices of ${from} only`, 'reading');
      return pass(`the answer came as an EDU from ${sender} to ${from}`);
    }),
  },
  {
    requirement: 'R-28',
    needs: ['federation'],
    run: async (bench, signal) => {
      const { say, serverUser: from } = secondOf(bench);
      const { userId: to, deviceId: device } = bench.account;
      const nonce = bench.nonce();
      await say([encodeLetter(bench, { from, to, device, type: MESSAGE_TYPE, content: { nonce } })], signal);
      const { events, found } = await bar(bench, signal);
      const event = events.find((each) => holdsNonce(each, nonce));
      if (event === undefined) {
        return found
          ? fail(`an EDU from ${from} did not come to its user, a later one did: ${WITHHELD}`)
          : nothingDelivered(bench);
      }
      if (event.sender !== from) return fail(`an EDU from ${from} came from ${cut(String(event.sender))}`);
      return pass(`an EDU from ${from} came to its user`);
    },
  },
  {
    requirement: 'R-30',
    part: 'over federation',
    needs: ['federation'],
    run: async (bench, signal) => {
      const { account, serverUser } = bench;
      const nonce = bench.nonce();
      const messages = { [secondOf(bench).user(NAME)]: { [DEVICE]: { nonce, sender: serverUser } } };
      const path = sendToDevicePath(MESSAGE_TYPE, bench.chance.uuid());
      const body = jsonTextOf({ messages, sender: serverUser });
      const answer = await account.api.call({ method: 'PUT', path, body }, signal).catch(refusalOf);
      if (answer instanceof Error) return pass(`a request that names another sender was ${answered(answer)}`);
      const letter = await letterWith(bench, nonce, signal);
      if (letter === undefined) return nothingHeard(bench);
      if (letter.sender !== account.userId)
        return fail(`${account.userId} sent an EDU as ${cut(String(letter.sender))}`);
      return pass(`a request that names the sender ${serverUser} was sent on as ${account.userId}`);
    },
  },
];

/** Appendices v1.14, "Historical User IDs". */
const WITHHELD =
  'since v1.14 the specification lets servers withhold such senders, and the proposal needs them (A1)';
