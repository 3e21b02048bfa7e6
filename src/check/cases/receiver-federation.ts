/** what a homeserver makes of what another server sends. */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE } from '../../ids/device-id.js';
import { parseServerName } from '../../ids/server-name.js';
import { parseUserId, serverUserOf, type UserId } from '../../ids/user-id.js';
import { jsonTextOf } from '../../wire/json.js';
import { countWith, holdsNonce, type Bench } from '../bench.js';
import {
  MESSAGE_TYPE,
  NAME,
  askFrom,
  bar,
  encodeLetter,
  letterWith,
  lettersWith,
  noAnswerFrom,
  notTaken,
  nothingDelivered,
  pingFrom,
  secondOf,
} from '../federated.js';
import { answered, byReply, cut, noAnswer, times } from '../judging.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const RECEIVER_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-16',
    needs: ['federation'],
    run: async (bench, signal) => {
      const nonce = bench.nonce();
      const victims = [bench.serverUser, serverUserOf(NOWHERE), parseUserId(`@${NAME}:${NOWHERE}`)];
      const answer = await secondOf(bench)
        .say(
          victims.map((from) => encodeToAccount(bench, from, nonce)),
          signal,
        )
        .catch(notTaken);
      const { events, found } = await bar(bench, signal);
      const spoofed = events.find((event) => holdsNonce(event, nonce));
      if (spoofed !== undefined)
        return fail(`an EDU with the sender ${cut(String(spoofed.sender))} came to its user`);
      if (!found) return nothingDelivered(bench);
      const how = answer instanceof Error ? answered(answer) : 'answered 200';
      return pass(`EDUs with the senders ${victims.join(', ')} did not come, a later one did (${how})`);
    },
  },
  {
    requirement: 'R-17',
    needs: ['federation'],
    run: byReply(async (bench, signal) => {
      const second = secondOf(bench);
      const wildcard = await pingFrom(bench, { device: WILDCARD_DEVICE }, signal);
      await letterWith(bench, wildcard, signal);
      const isNamedAnswered = (await askFrom(bench, {}, signal)) !== undefined;
      const isWildcardAnswered = lettersWith(second, wildcard).length > 0;
      if (isNamedAnswered && isWildcardAnswered)
        return pass(`${bench.probeType} to "" was answered, and to "*"`);
      if (isNamedAnswered) return fail(`${bench.probeType} to "*" was not answered, a later one to "" was`);
      if (isWildcardAnswered)
        return inconclusive(`${bench.probeType} to "*" was answered, a later one to "" was not`);
      return noAnswerFrom(bench);
    }),
  },
  {
    requirement: 'R-18',
    needs: ['federation'],
    run: async (bench, signal) => {
      const { say, user } = secondOf(bench);
      const nonce = bench.nonce();
      const edu = encodeToAccount(bench, user(NAME), nonce);
      // as a server does that did not hear the answer: the same EDU, in another transaction
      for (let time = 0; time < 2; time += 1) await say([edu], signal);
      const { events, found } = await bar(bench, signal);
      const came = countWith(nonce, events);
      const seen = `an EDU in two transactions, both answered 200, came to its user ${times(came)}`;
      if (came > 1) return fail(seen);
      if (!found) return nothingDelivered(bench);
      return came === 1 ? pass(seen) : inconclusive(seen);
    },
  },
  {
    requirement: 'R-19',
    part: 'over federation',
    needs: ['federation'],
    run: async (bench, signal) => {
      const second = secondOf(bench);
      const from = second.user(NAME);
      const [nonce, besideNonce] = [bench.nonce(), bench.nonce()];
      const letter = {
        from,
        to: bench.serverUser,
        device: SERVER_DEVICE_ID,
        type: UNKNOWN_TYPE,
        content: { nonce },
      };
      const answer = await second
        .say(
          [
            jsonTextOf({ edu_type: UNKNOWN_TYPE, content: { nonce } }),
            encodeLetter(bench, letter),
            encodeToAccount(bench, from, besideNonce),
          ],
          signal,
        )
        .catch(notTaken);
      // it throws where the server takes nothing of ours, and then no type is to blame
      const { events, found } = await bar(bench, signal);
      if (answer instanceof Error)
        return fail(`an unknown type made the transaction fail: ${answered(answer)}`);
      if (!found) return nothingDelivered(bench);
      if (!events.some((event) => holdsNonce(event, besideNonce)))
        return fail('an EDU beside one of an unknown type did not come');
      if (!(await bench.answers(signal))) return noAnswer(bench);
      const later = await askFrom(bench, {}, signal);
      const [reply] = lettersWith(second, nonce);
      if (reply !== undefined)
        return inconclusive(`${UNKNOWN_TYPE} was answered: the server seems to know every type`);
      if (later === undefined) return noAnswerFrom(bench);
      return pass(
        'an unknown EDU and an unknown event type were answered 200 and nothing else, a known one beside them came',
      );
    },
  },
];

/** A letter to our account that holds `nonce`. */
function encodeToAccount(bench: Bench, from: UserId, nonce: string) {
  const { userId: to, deviceId: device } = bench.account;
  return encodeLetter(bench, { from, to, device, type: MESSAGE_TYPE, content: { nonce } });
}

/** A type that nobody handles, of an event and of an EDU. */
const UNKNOWN_TYPE = 'mx2s.check.unknown';
/** RFC 2606: nobody's. */
const NOWHERE = parseServerName('mx2s-check.invalid');
