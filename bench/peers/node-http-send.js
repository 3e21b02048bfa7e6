// Sends each line of stdin as the content of a message: Node's own client, 8 requests at a time, and nothing around it.
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';

const { MX2S_HOMESERVER: origin, MX2S_ACCESS_TOKEN: token } = process.env;
const { hostname, port } = new URL(origin);
const agent = new Agent({ keepAlive: true });
const lines = readFileSync(0, 'utf8').split('\n').slice(0, -1);
let next = 0;

function send(content, txnId) {
  const body = `{"messages":{"@:sink.test":{"":${content}}}}`;
  const path = `/_matrix/client/v3/sendToDevice/org.example.bench/${txnId}`;
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
  return new Promise((resolve, reject) => {
    request({ agent, hostname, port, method: 'PUT', path, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`it was answered ${response.statusCode}`));
      response.resume().on('end', resolve);
    })
      .on('error', reject)
      .end(body);
  });
}

async function work() {
  const run = crypto.randomUUID();
  while (next < lines.length) await send(lines[next++], `${run}-${next}`);
}

await Promise.all(Array.from({ length: 8 }, work));
agent.destroy();
