/** what a homeserver tells other servers of its server user. */
import { MatrixError } from '../../errors.js';
import { encodeJson } from '../../wire/json.js';
import { cut, refusalOf, secondOf } from '../federated.js';
import { fail, inconclusive, pass, type Probe } from '../probe.js';

export const IDENTITY_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-23',
    part: 'the profile over federation',
    needs: ['federation'],
    run: async (bench, signal) => {
      const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(bench.serverUser)}`;
      const answer = await secondOf(bench).ask(uri, signal).catch(refusalOf);
      if (!(answer instanceof MatrixError)) {
        return fail(`GET /query/profile was answered 200: ${cut(encodeJson(answer))}`);
      }
      if (answer.status !== 404) return inconclusive(cut(answer.message));
      return pass('GET /query/profile was answered 404');
    },
  },
];
