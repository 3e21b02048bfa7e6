/** what a homeserver tells other servers of its server user. */
import { encodeJson } from '../../wire/json.js';
import { secondOf } from '../federated.js';
import { answered, cut, refusalOf } from '../judging.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const IDENTITY_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-23',
    part: 'profile over federation',
    needs: ['federation'],
    run: async (bench, signal) => {
      const ask = (userId: string) =>
        secondOf(bench)
          .ask(`/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`, signal)
          .catch(refusalOf);
      const answer = await ask(bench.serverUser);
      if (answer instanceof Error) {
        return answer.status === 404 ? pass(answered(answer)) : inconclusive(answered(answer));
      }
      return (await ask(`@${bench.nonce()}:${bench.serverName}`)) instanceof Error
        ? fail(`answered 200: ${cut(encodeJson(answer))}`)
        : pass('answered as for anybody who does not exist');
    },
  },
];
