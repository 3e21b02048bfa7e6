/** Servers that say on stdout where they are: `mx2s serve`, and peers that do so, too. */
import type { Stage } from '../test/evidence/stage.js';
import { startBinary } from '../test/kit/binary.js';
import type { Home } from './home.js';
import { CONNECTIONS, type LoadSession } from './load.js';

export interface Served {
  /** `http://127.0.0.1:PORT` */
  readonly homeserver: string;
  readonly server_name: string;
  readonly users: readonly LoadSession[];
}

/** Starts `mx2s serve FLAGS` with as many users as there are connections; it goes with the stage. */
export async function startServe(stage: Stage, home: Home, flags: readonly string[] = []): Promise<Served> {
  const users = Array.from({ length: CONNECTIONS }, (_, n) => ['--user', `user${String(n)}`]);
  return startServer(stage, home, ['serve', ...users.flat(), ...flags]);
}

/** Starts a server, which goes with the stage: mx2s, or another program. */
export async function startServer(
  stage: Stage,
  { HOME: home }: Home,
  args: readonly string[],
  program?: string,
): Promise<Served> {
  const running = stage.add(startBinary(args, { home, program }), (server) => server.stop());
  return JSON.parse(await running.lineOf('stdout', /"ready":true/)) as Served;
}
