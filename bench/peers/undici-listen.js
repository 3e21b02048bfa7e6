// A long poll with nothing around it but undici, the client that Node's fetch is made of: `undici-listen.js COUNT`.
import { Agent } from 'undici';

const { MX2S_HOMESERVER: origin, MX2S_ACCESS_TOKEN: token } = process.env;
const agent = new Agent();
const count = Number(process.argv[2]);
let since = '';
for (let received = 0; received < count;) {
  const path = `/_matrix/client/v3/sync?timeout=30000${since === '' ? '' : `&since=${since}`}`;
  const { body } = await agent.request({
    origin,
    path,
    method: 'GET',
    headers: { authorization: `Bearer ${token}` },
  });
  const batch = await body.json();
  since = batch.next_batch;
  const events = batch.to_device.events;
  received += events.length;
  if (events.length > 0) process.stdout.write(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}
await agent.close();
