/** Ports for those who have to know theirs before they listen. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Two ports that nobody listens on; both are taken at once, so that they differ. */
export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()] as const;
  const ports = servers.map(async (server) => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port on loopback');
    return address.port;
  });
  const [first = 0, second = 0] = await Promise.all(ports);
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return [first, second];
}
