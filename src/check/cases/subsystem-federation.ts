/** whom the subsystem answers on other servers. */
import { WILDCARD_DEVICE } from '../../ids/device-id.js';
import { DEVICE, askFrom, devicesOf, lettersWith, noAnswerFrom, pingFrom, secondOf } from '../federated.js';
import { byReply, cut } from '../judging.js';
import { fail, pass, type Probe } from '../probe.js';

export const SUBSYSTEM_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-35',
    part: 'another server',
    needs: ['federation'],
    run: byReply(async (bench, signal) => {
      for (const { deviceId, expected } of [
        { deviceId: DEVICE, expected: DEVICE },
        { deviceId: undefined, expected: WILDCARD_DEVICE },
      ]) {
        const answer = await askFrom(bench, { deviceId }, signal);
        if (answer === undefined) return noAnswerFrom(bench);
        const devices = devicesOf([answer]);
        if (devices.length !== 1 || devices[0] !== expected) {
          const named = deviceId === undefined ? 'no device' : `the device ${deviceId}`;
          return fail(
            `${bench.probeType} that names ${named} was answered to ${cut(JSON.stringify(devices))}`,
          );
        }
      }
      return pass(
        `${bench.probeType} was answered to the device that it names, and to "*" where it names none`,
      );
    }),
  },
  {
    requirement: 'R-36',
    needs: ['federation'],
    run: byReply(async (bench, signal) => {
      const second = secondOf(bench);
      const nonce = await pingFrom(bench, { from: second.serverUser }, signal);
      // handlers work side by side: the answer to a later question may overtake
      for (let times = 0; times < LATER_QUESTIONS; times += 1) {
        if ((await askFrom(bench, {}, signal)) === undefined) return noAnswerFrom(bench);
      }
      return lettersWith(second, nonce).length > 0
        ? fail(`${bench.probeType} from ${second.serverUser} was answered`)
        : pass(`${bench.probeType} from ${second.serverUser} was not answered, later ones from a user were`);
    }),
  },
];

const LATER_QUESTIONS = 2;
