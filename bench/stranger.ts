/** Another server, as far as one that it sends to can tell: it has a name, a certificate and a key. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { publishedKeys } from '../src/federation/server-keys.js';
import { transactionPath } from '../src/federation/send-transaction.js';
import { signRequest } from '../src/federation/signed-request.js';
import { signingKeyFromSeed } from '../src/federation/signing-key.js';
import { parseServerName } from '../src/ids/server-name.js';
import { encodeJson, jsonTextOf, parseJson } from '../src/wire/json.js';
import { encodeTransaction } from '../src/wire/transaction.js';
import type { Stage } from '../test/evidence/stage.js';
import { GOOD, KEY } from '../test/http/certificates.js';
import type { LoadRequest, LoadSession } from './load.js';

export interface Stranger {
  /** `count` transactions for a server, signed, each with a message for a device there. */
  transactions(serverName: string, to: LoadSession, count: number): readonly LoadRequest[];
}

/** Starts one, which goes with the stage; its certificate is of the test authority. */
export async function startStranger(stage: Stage): Promise<Stranger> {
  const server = createServer({ cert: GOOD, key: KEY }, (_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(encodeJson(publishedKeys(identity, Date.now())));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stage.add(server, async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  const origin = parseServerName(`127.0.0.1:${String(port)}`);
  const key = signingKeyFromSeed('bench', new Uint8Array(32).fill(7));
  const identity = { serverName: origin, keys: [key] } as const;
  return {
    transactions: (serverName, to, count) => {
      const destination = parseServerName(serverName);
      return Array.from({ length: count }, () => {
        const txnId = crypto.randomUUID();
        const edus = [jsonTextOf(eduOf(origin, to, txnId))];
        const body = encodeTransaction({ origin, originServerTsMs: Date.now(), edus });
        const request = {
          method: 'PUT',
          uri: transactionPath(txnId),
          destination,
          content: parseJson(body),
        } as const;
        const { authorization = '', body: signed = '' } = signRequest(request, identity);
        return { method: request.method, path: request.uri, authorization, body: signed };
      });
    },
  };
}

function eduOf(origin: string, to: LoadSession, id: string) {
  return {
    edu_type: 'm.direct_to_device',
    content: {
      sender: `@:${origin}`,
      type: 'org.example.bench',
      message_id: id.replaceAll('-', ''),
      messages: { [to.user_id]: { [to.device_id]: { example_content: 'value' } } },
    },
  };
}
