/** what a homeserver tells other servers of its server user. */
import { encodeJson } from '../../wire/json.js';
import { secondOf } from '../federated.js';
import { refusalOf, tellsApart } from '../judging.js';
import type { Probe } from '../probe.js';

export const IDENTITY_FEDERATION_PROBES: readonly Probe[] = [
  {
    requirement: 'R-23',
    part: 'profile over federation',
    needs: ['federation'],
    run: (bench, signal) =>
      tellsApart(bench, async (userId) => {
        const uri = `/_matrix/federation/v1/query/profile?user_id=${encodeURIComponent(userId)}`;
        const answer = await secondOf(bench).ask(uri, signal).catch(refusalOf);
        return answer instanceof Error ? answer : encodeJson(answer);
      }),
  },
];
