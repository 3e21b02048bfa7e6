/** what the homeserver of a receiver does with what it does not know. */
import { SERVER_DEVICE_ID } from '../../ids/device-id.js';
import { holdsNonce } from '../bench.js';
import { answered, noAnswer, refusalOf, wentSilent } from '../judging.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const RECEIVER_PROBES: readonly Probe[] = [
  {
    requirement: 'R-19',
    part: 'an event type',
    needs: [],
    run: async (bench, signal) => {
      const { account, serverUser } = bench;
      const known = await bench.answers(signal).catch(refusalOf);
      const nonce = bench.nonce();
      const messages = { [serverUser]: { [SERVER_DEVICE_ID]: { nonce } } };
      const refusal = await bench.send(account, UNKNOWN_TYPE, messages, signal).catch(refusalOf);
      if (refusal !== undefined) {
        const seen = `${UNKNOWN_TYPE} to ${serverUser} was ${answered(refusal)}`;
        return known instanceof Error
          ? inconclusive(`${seen}, and ${bench.probeType} ${answered(known)}`)
          : fail(seen);
      }
      if (known !== true) return noAnswer(bench);
      const events = await bench.askLater(signal);
      if (events === undefined) return wentSilent(bench);
      return events.some((event) => holdsNonce(event, nonce))
        ? inconclusive(`${UNKNOWN_TYPE} was answered: the server seems to know every type`)
        : pass(`${UNKNOWN_TYPE} to ${serverUser} was accepted, and not answered`);
    },
  },
];

/** A type that nobody handles. */
const UNKNOWN_TYPE = 'mx2s.check.unknown';
