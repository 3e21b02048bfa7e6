// A long poll with nothing around it but Node's own client: `node-http-listen.js COUNT`.
import { Agent, get } from 'node:http';

const { MX2S_HOMESERVER: origin, MX2S_ACCESS_TOKEN: token } = process.env;
const { hostname, port } = new URL(origin);
const agent = new Agent({ keepAlive: true });
const headers = { authorization: `Bearer ${token}` };
const count = Number(process.argv[2]);

function ask(path) {
  return new Promise((resolve, reject) => {
    get({ agent, hostname, port, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => (body += text));
      response.on('end', () => resolve(JSON.parse(body)));
    }).on('error', reject);
  });
}

let since = '';
for (let received = 0; received < count;) {
  const batch = await ask(`/_matrix/client/v3/sync?timeout=30000${since === '' ? '' : `&since=${since}`}`);
  since = batch.next_batch;
  const events = batch.to_device.events;
  received += events.length;
  if (events.length > 0) process.stdout.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}
agent.destroy();
