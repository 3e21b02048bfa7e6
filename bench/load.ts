/** What is asked of a server, as fast as it answers. */
import { runBinary } from '../test/kit/binary.js';
import type { Home } from './home.js';
import type { Program } from './programs.js';

/** What the program `load` reads; `bench/peers/wire/load/main.go` says what it does with it. */
export interface Load {
  /** `http://127.0.0.1:PORT` */
  readonly homeserver: string;
  readonly work: SendAgain | Replay;
}

/** For a time: each connection sends messages of a session to itself. */
export interface SendAgain {
  readonly send: readonly LoadSession[];
  /** Does it read each with `/sync` before it sends the next? */
  readonly receive: boolean;
  readonly warm_up_ms: number;
  readonly ms: number;
}

export interface LoadSession {
  readonly user_id: string;
  readonly device_id: string;
  readonly access_token: string;
}

/** Each once. */
export interface Replay {
  readonly replay: readonly LoadRequest[];
}

export interface LoadRequest {
  readonly method: string;
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

/** How often a second it was answered with 200. @throws Error when it was answered otherwise */
export async function loadRate(
  program: Program,
  { HOME: home }: Home,
  { homeserver, work }: Load,
): Promise<number> {
  const stdin = JSON.stringify({ address: new URL(homeserver).host, connections: CONNECTIONS, ...work });
  const { code, stdout, stderr } = await runBinary([], { program: program.path, home, stdin });
  if (code !== 0) throw new Error(`the load has failed; it said:\n${stderr}`);
  return (JSON.parse(stdout) as { per_second: number }).per_second;
}

export const CONNECTIONS = 8;
