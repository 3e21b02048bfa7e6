/** The built-in handler: answers `mx2s.ping` with `mx2s.pong`. Ours, and no part of MSC4246. */
import type { Clock } from '../clock.js';
import type { ServerName } from '../ids/server-name.js';
import { jsonTextOf, parseJson, stringMember } from '../wire/json.js';
import type { Handler } from './handler.js';

export const PING_TYPE = 'mx2s.ping';
export const PONG_TYPE = 'mx2s.pong';

/**
 * Answers `{"nonce","device_id"?}` with `{"nonce","received_ts","server"}`.
 *
 * Fails when `nonce` is missing, no string, or longer than 255 characters.
 */
export function createPing(server: ServerName, clock: Clock): Handler {
  return async (message) => {
    const nonce = stringMember(parseJson(message.content), 'nonce');
    if (nonce === undefined || nonce.length > MAX_NONCE_CHARACTERS) {
      throw new Error(`content.nonce: not a string of at most ${MAX_NONCE_CHARACTERS} characters`);
    }
    return { type: PONG_TYPE, content: jsonTextOf({ nonce, received_ts: clock.now(), server }) };
  };
}

const MAX_NONCE_CHARACTERS = 255;
