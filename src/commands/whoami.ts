/** `mx2s whoami`: whom the token in use stands for, by the homeserver's own word. */
import { whoami as askWhoami } from '../client/whoami.js';
import { renderWhoami, type WhoamiResult } from '../ui/render/profiles.js';
import { addExamples, define } from './define.js';
import { openSession } from './session.js';

export const whoami = define<undefined>({
  configure: (command) => {
    addExamples(command, [
      'mx2s whoami',
      'mx2s whoami --profile work',
      'mx2s whoami --json | jq -r .user_id',
    ]);
  },
  options: () => undefined,
  run: async (context) => {
    const { api, homeserver, source, profile } = await openSession(context);
    const { userId, deviceId } = await askWhoami(api, context.signal);
    const result: WhoamiResult = { v: 1, user_id: userId, device_id: deviceId, homeserver, source, profile };
    await context.out.result(result, (palette) => renderWhoami(result, palette));
    return 0;
  },
});
