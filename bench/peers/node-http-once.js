// One `sendToDevice` with Node's own client and nothing around it.
import { request } from 'node:http';

const { MX2S_HOMESERVER: origin, MX2S_ACCESS_TOKEN: token } = process.env;
const body = JSON.stringify({ messages: { '@:sink.test': { '': { example_content: 'value' } } } });
const url = `${origin}/_matrix/client/v3/sendToDevice/org.example.bench/${crypto.randomUUID()}`;
const headers = {
  authorization: `Bearer ${token}`,
  'content-type': 'application/json',
  'content-length': body.length,
};
request(url, { method: 'PUT', headers }, (response) => {
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.setEncoding('utf8').on('data', (text) => process.stdout.write(text));
}).end(body);
