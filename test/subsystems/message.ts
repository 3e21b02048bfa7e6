/** A message as handlers outside this process get it. */
import { parseUserId } from '../../src/ids/user-id.js';
import type { ServerMessage } from '../../src/subsystems/handler.js';
import { compactJson } from '../../src/wire/json.js';

export const MESSAGE: ServerMessage = {
  sender: parseUserId('@a:hs.test'),
  type: 'org.example.x',
  content: compactJson('{"n":123456789012345678901}'),
  deviceId: undefined,
  via: 'client',
};

/** The one line of JSON that it is handed over as. */
export const MESSAGE_LINE =
  '{"sender":"@a:hs.test","type":"org.example.x","content":{"n":123456789012345678901},"via":"client"}';
