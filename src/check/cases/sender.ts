/** what the homeserver of a sender does, as far as its own clients see it. */
import { SERVER_DEVICE_ID } from '../../ids/device-id.js';
import { fail, pass, type Probe } from '../probe.js';
import { MatrixError } from '../../errors.js';

export const SENDER_PROBES: readonly Probe[] = [
  {
    requirement: 'R-9',
    part: 'its own @:d',
    needs: [],
    run: async (bench, signal) => {
      const { serverUser } = bench;
      try {
        await bench.send(
          bench.account,
          'mx2s.check.hello',
          { [serverUser]: { [SERVER_DEVICE_ID]: { nonce: bench.nonce() } } },
          signal,
        );
      } catch (error) {
        if (error instanceof MatrixError) return fail(error.message);
        throw error;
      }
      return pass(`a message to ${serverUser} was answered 200`);
    },
  },
];
