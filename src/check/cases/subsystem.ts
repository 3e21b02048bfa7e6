/** what takes the messages for the server, as far as it shows. */
import { MatrixError } from '../../errors.js';
import { SERVER_DEVICE_ID } from '../../ids/device-id.js';
import { holdsNonce, type Answer, type Bench } from '../bench.js';
import { answered, byReply, refusalOf, wentSilent } from '../judging.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const SUBSYSTEM_PROBES: readonly Probe[] = [
  {
    requirement: 'R-32',
    needs: [],
    run: byReply(async (bench, signal) => {
      let fastest: Answer | undefined;
      for (let tries = 0; tries < MAX_TRIES && !isAtOnce(fastest); tries += 1) {
        const answer = await bench.ask(signal);
        if (answer !== undefined && answer.afterMs < (fastest?.afterMs ?? Infinity)) fastest = answer;
      }
      if (fastest === undefined) return wentSilent(bench);
      const seen = `${bench.probeType} was answered after ${fastest.afterMs} ms`;
      return isAtOnce(fastest) ? pass(seen) : inconclusive(`${seen}, the fastest of ${MAX_TRIES}`);
    }),
  },
  {
    requirement: 'R-33',
    needs: [],
    run: byReply(async (bench, signal) => {
      const { account, serverUser, probeType } = bench;
      const messages = { [serverUser]: { [SERVER_DEVICE_ID]: { odd: bench.nonce() } } };
      const refusal = await bench.send(account, probeType, messages, signal).catch(refusalOrFailure);
      if (refusal) return fail(`${probeType} without a nonce was ${answered(refusal)}`);
      if ((await bench.askLater(signal)) === undefined) return silentAfterOdd(bench, signal);
      return pass(
        `${probeType} without a nonce was accepted, and the next one answered; not looked at: slow handlers`,
      );
    }),
  },
  {
    requirement: 'R-35',
    part: 'the device that asks',
    needs: [],
    run: byReply(async (bench, signal) => {
      const isAnswered = await bench.isAnswered(signal, { namesDevice: false });
      if (isAnswered === undefined) return wentSilent(bench);
      return isAnswered
        ? pass(`${bench.probeType} that names no device was answered to the one that asked`)
        : fail(`${bench.probeType} that names no device was not answered to the one that asked, twice`);
    }),
  },
  {
    requirement: 'R-35',
    part: 'another account',
    needs: ['other'],
    run: byReply(async (bench, signal) => {
      const { account, other } = bench;
      if (other === undefined) throw new Error('the probe says that it needs another account');
      const answer = await bench.ask(signal);
      if (answer === undefined) return wentSilent(bench);
      const later = bench.nonce();
      const messages = { [other.userId]: { [other.deviceId]: { nonce: later } } };
      await bench.send(account, 'mx2s.check.hello', messages, signal);
      const { events, found } = await bench.collectPast(other, later, signal);
      if (!found)
        return inconclusive(`a message to ${other.userId} did not come within ${bench.waitMs / 1000} s`);
      return events.some((event) => holdsNonce(event, answer.nonce))
        ? fail(`${other.userId} got the answer to ${account.userId}`)
        : pass(`${other.userId} got nothing of it`);
    }),
  },
];

/** A failure of the server is what is looked for, too. */
function refusalOrFailure(error: unknown): MatrixError {
  return error instanceof MatrixError && error.code === 'server_error' ? error : refusalOf(error);
}

function isAtOnce(answer: Answer | undefined): boolean {
  return answer !== undefined && answer.afterMs <= AT_ONCE_MS;
}

/** Is it the odd message that keeps the next one from being answered, or has the server gone silent by itself? */
async function silentAfterOdd(bench: Bench, signal: AbortSignal) {
  if ((await bench.askLater(signal)) === undefined) return wentSilent(bench);
  return fail(`after ${bench.probeType} without a nonce the next one was not answered, the one after it was`);
}

const MAX_TRIES = 3;
/** For a handler that has nothing else to do, with the network on both sides of it. */
const AT_ONCE_MS = 1000;
