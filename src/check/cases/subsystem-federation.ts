/** whom the subsystem answers on other servers. */
import { SERVER_DEVICE_ID, WILDCARD_DEVICE } from '../../ids/device-id.js';
import {
  DEVICE,
  NAME,
  askFrom,
  cut,
  lettersWith,
  noAnswer,
  secondOf,
  type HeardLetter,
} from '../federated.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const SUBSYSTEM_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-35',
    part: 'answers to other servers',
    needs: ['federation'],
    run: async (bench, signal) => {
      if (!(await bench.answers(signal))) return noAnswer(bench);
      const from = secondOf(bench).user(NAME);
      const ask = (deviceId?: string) => askFrom(bench, { from, device: SERVER_DEVICE_ID, deviceId }, signal);
      const [named, unnamed] = [await ask(DEVICE), await ask()];
      for (const { answer, expected, when } of [
        { ...named, expected: DEVICE, when: 'the content names a device' },
        { ...unnamed, expected: WILDCARD_DEVICE, when: 'the content names no device' },
      ]) {
        if (answer === undefined) return inconclusive(`no answer came where ${when}`);
        const devices = devicesOf(answer);
        if (devices.length !== 1 || devices[0] !== expected) {
          return fail(`where ${when}, the answer was for ${cut(JSON.stringify(devices))}`);
        }
      }
      return pass(
        `the answers were for the device that the content names, and for "${WILDCARD_DEVICE}" where it names none`,
      );
    },
  },
  {
    requirement: 'R-36',
    needs: ['federation'],
    run: async (bench, signal) => {
      if (!(await bench.answers(signal))) return noAnswer(bench);
      const second = secondOf(bench);
      const { nonce } = await askFrom(
        bench,
        { from: second.serverUser, device: SERVER_DEVICE_ID },
        signal,
        0,
      );
      // handlers work side by side: the answer to a later question may overtake
      for (let time = 0; time < LATER_QUESTIONS; time += 1) {
        const { answer } = await askFrom(
          bench,
          { from: second.user(NAME), device: SERVER_DEVICE_ID },
          signal,
        );
        if (answer === undefined) return inconclusive('no message of another server was answered');
      }
      if (lettersWith(second, nonce).length > 0)
        return fail(`a message from ${second.serverUser} was answered`);
      return pass(`a message from ${second.serverUser} was not answered, later ones from a user were`);
    },
  },
];

function devicesOf({ deliveries }: HeardLetter): string[] {
  return deliveries.map(({ device }) => device);
}

const LATER_QUESTIONS = 2;
