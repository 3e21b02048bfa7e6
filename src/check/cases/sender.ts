/** what the homeserver of a sender does, as far as its own clients see it. */
import { isUnknownEndpoint } from '../../client/error-answer.js';
import { parseAnswer } from '../../client/answer.js';
import { SERVER_DEVICE_ID, WILDCARD_DEVICE } from '../../ids/device-id.js';
import { encodeJson, jsonTextOf, member } from '../../wire/json.js';
import { countWith, holdsNonce, type Bench } from '../bench.js';
import { answered, byReply, cut, noAnswerWords, refusalOf, refused, times, wentSilent } from '../judging.js';
import { fail, inconclusive, pass, skipped, type Finding, type Probe } from '../probe.js';

export const SENDER_PROBES: readonly Probe[] = [
  {
    requirement: 'R-9',
    part: 'its own @:d',
    needs: [],
    run: async (bench, signal) => {
      const { account, serverUser } = bench;
      const messages = { [serverUser]: { [SERVER_DEVICE_ID]: { nonce: bench.nonce() } } };
      const refusal = await bench.send(account, HELLO, messages, signal).catch(refusalOf);
      return refusal
        ? refused(bench, `a message to ${serverUser} was ${answered(refusal)}`, account, signal)
        : pass(`a message to ${serverUser} was answered 200`);
    },
  },
  {
    requirement: 'R-10',
    part: 'its own @:d',
    needs: [],
    run: byReply(async (bench, signal) => {
      const isAnswered = await bench.isAnswered(signal, { device: WILDCARD_DEVICE }).catch(refusalOf);
      if (isAnswered instanceof Error)
        return fail(`a message to "*" of ${bench.serverUser} was ${answered(isAnswered)}`);
      if (isAnswered === undefined) return wentSilent(bench);
      return isAnswered
        ? pass(`${bench.probeType} to "*" was answered like one to ""`)
        : fail(`${bench.probeType} to "*" was not answered, twice; one to "" after each was`);
    }),
  },
  {
    requirement: 'R-11',
    part: 'keys',
    needs: [],
    run: async ({ account, serverUser }, signal) => {
      const body = jsonTextOf({ device_keys: { [serverUser]: [] } });
      const answer = await account.api
        .call({ method: 'POST', path: '/v3/keys/query', body }, signal)
        .catch(refusalOf);
      if (answer instanceof Error) {
        return answer.status === 403 || isUnknownEndpoint(answer)
          ? inconclusive(`POST /keys/query was ${answered(answer)}`)
          : pass(`POST /keys/query for ${serverUser} was ${answered(answer)}`);
      }
      const devices = member(member(parseAnswer(answer), 'device_keys'), serverUser);
      if (devices?.kind === 'object' && devices.members.length > 0) {
        return fail(`POST /keys/query gives ${serverUser} devices: ${cut(encodeJson(devices))}`);
      }
      return pass(`POST /keys/query gives ${serverUser} no device`);
    },
  },
  {
    requirement: 'R-12',
    part: 'its own @:d',
    needs: [],
    run: byReply(async (bench, signal) => {
      const [all, one] = [bench.nonce(), bench.nonce()];
      const devices = {
        [WILDCARD_DEVICE]: bench.pingContent(all),
        [SERVER_DEVICE_ID]: bench.pingContent(one),
      };
      await bench.send(bench.account, bench.probeType, { [bench.serverUser]: devices }, signal);
      const single = await bench.ping(signal); // there are types that are answered with more than one message
      const events = await bench.askLater(signal);
      if (events === undefined) return wentSilent(bench);
      const [ofOne, ofAll] = [countWith(one, events), countWith(all, events)];
      const usual = countWith(single, events);
      const seen = `what was for "" was answered ${times(ofOne)}, what was for "*" ${times(ofAll)}`;
      if (usual === 0) return inconclusive(`${seen}, what came alone ${times(usual)}`);
      return ofOne === usual && ofAll === 0 ? pass(seen) : fail(seen);
    }),
  },
  {
    requirement: 'R-13',
    part: '@:d',
    needs: [],
    run: byReply(async (bench, signal) => {
      const { serverUser } = bench;
      const nonce = await bench.ping(signal, { device: NO_DEVICE }).catch(refusalOf);
      if (nonce instanceof Error) {
        return fail(`a message to the device ${NO_DEVICE} of ${serverUser} was ${answered(nonce)}`);
      }
      const events = await bench.askLater(signal);
      if (events === undefined) return wentSilent(bench);
      return events.some((event) => holdsNonce(event, nonce))
        ? fail(`a message to the device ${NO_DEVICE} of ${serverUser} was answered`)
        : pass(`a message to the device ${NO_DEVICE} of ${serverUser} was accepted, and not answered`);
    }),
  },
  {
    requirement: 'R-13',
    part: 'a user',
    needs: [],
    run: async (bench, signal) => {
      const { account } = bench;
      const nonce = bench.nonce();
      const messages = { [account.userId]: { [SERVER_DEVICE_ID]: { nonce } } };
      const refusal = await bench.send(account, HELLO, messages, signal).catch(refusalOf);
      if (refusal) {
        const seen = `a message to "" of ${account.userId} was ${answered(refusal)}`;
        return refused(bench, seen, account, signal);
      }
      const later = await sendToSelf(bench, signal);
      const { events, found } = await bench.collectPast(account, later, signal);
      if (!found) return lostMessage(bench);
      return events.some((event) => holdsNonce(event, nonce))
        ? fail(`a message to "" of ${account.userId} came to the device ${cut(account.deviceId)}`)
        : pass(`a message to "" of ${account.userId} was accepted, and did not come`);
    },
  },
  {
    requirement: 'R-15',
    part: 'a user',
    needs: [],
    run: async (bench, signal) => {
      const { account, chance } = bench;
      const [nonce, txnId] = [bench.nonce(), chance.uuid()];
      const messages = { [account.userId]: { [account.deviceId]: { nonce } } };
      await bench.send(account, HELLO, messages, signal, txnId);
      const refusal = await bench.send(account, HELLO, messages, signal, txnId).catch(refusalOf);
      if (refusal) return fail(`the repeated request was ${answered(refusal)}`);
      const single = await sendToSelf(bench, signal); // a server may deliver every message more than once
      const { events, found } = await bench.collectPast(account, single, signal);
      if (!found) return lostMessage(bench);
      const [came, usual] = [countWith(nonce, events), countWith(single, events)];
      const seen = `a message sent twice under one transaction ID came ${times(came)}`;
      if (came === 0) return inconclusive(`${seen}, one sent once ${times(usual)}`);
      return came > usual ? fail(seen) : pass(seen);
    },
  },
  {
    requirement: 'R-15',
    part: '@:d',
    needs: [],
    run: async (bench, signal) => {
      // the rule is the specification's, and the same for every recipient
      if (!(await bench.answers(signal))) return skipped(noAnswerWords(bench));
      const { account, serverUser, probeType } = bench;
      const [nonce, txnId] = [bench.nonce(), bench.chance.uuid()];
      const messages = { [serverUser]: { [SERVER_DEVICE_ID]: bench.pingContent(nonce) } };
      await bench.send(account, probeType, messages, signal, txnId);
      await bench.send(account, probeType, messages, signal, txnId);
      const single = await bench.ping(signal); // there are types that are answered with more than one message
      const events = await bench.askLater(signal);
      if (events === undefined) return wentSilent(bench);
      const [came, usual] = [countWith(nonce, events), countWith(single, events)];
      const seen = `${probeType} sent twice under one transaction ID was answered ${times(came)}`;
      if (came === 0 || usual === 0) return inconclusive(`${seen}, one sent once ${times(usual)}`);
      return came > usual ? fail(seen) : pass(seen);
    },
  },
];

async function sendToSelf(bench: Bench, signal: AbortSignal): Promise<string> {
  const { account } = bench;
  const nonce = bench.nonce();
  await bench.send(account, HELLO, { [account.userId]: { [account.deviceId]: { nonce } } }, signal);
  return nonce;
}

function lostMessage({ account, waitMs }: Bench): Finding {
  return inconclusive(`a message of ${account.userId} to itself did not come within ${waitMs / 1000} s`);
}

const HELLO = 'mx2s.check.hello';
/** A device that no server has. */
const NO_DEVICE = 'MX2SCHECK';
