/** `POST /_matrix/client/v3/refresh` */
import { requiredStringField } from '../../body.js';
import { open, stable } from '../../endpoint.js';
import { refresh as refreshSession } from '../../sessions.js';

/**
 * Exchanges `{refresh_token}` for `{access_token,refresh_token,expires_in_ms}`.
 * @see Client-Server API v1.19, `POST /refresh`
 */
export const refresh = open('POST', stable('/refresh'), async (home, call) =>
  refreshSession(home, requiredStringField(call.body(), 'refresh_token')),
);
