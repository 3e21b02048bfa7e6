// Does with matrix-js-sdk what `mx2s send` does: one message to a server.
import { createClient } from 'matrix-js-sdk';
import { logger } from 'matrix-js-sdk/lib/logger.js';

logger.disableAll();
const client = createClient({
  baseUrl: process.env.MX2S_HOMESERVER,
  accessToken: process.env.MX2S_ACCESS_TOKEN,
  userId: '@alice:sink.test',
  deviceId: 'SINK',
});
const content = { example_content: 'value' };
await client.sendToDevice('org.example.bench', new Map([['@:sink.test', new Map([['', content]])]]));
