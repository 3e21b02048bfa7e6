/** `mx2s serve` as a process of its own, as it would run beside any other program. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Device } from './shapes.js';

export interface Homeserver {
  readonly url: string;
  readonly serverName: string;
  readonly users: readonly (Device & { readonly accessToken: string })[];
  stop(): Promise<void>;
}

/** Starts it with its users `alice` and `bob`, and a web service that handles messages of one type. */
export async function startHomeserver(type: string, handlerUrl: string): Promise<Homeserver> {
  const args = ['serve', '--server-name', 'example.org', '--on', `${type}=${handlerUrl}`];
  const child = spawn(process.execPath, [MX2S, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const failed = ended.then(([status]) => {
    throw new Error(`mx2s serve ended with ${String(status)}`);
  });
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), failed]);
  const ready = JSON.parse(String(line)) as ReadyLine;
  return {
    url: ready.homeserver,
    serverName: ready.server_name,
    users: ready.users.map(({ user_id, device_id, access_token }) => ({
      userId: user_id,
      deviceId: device_id,
      accessToken: access_token,
    })),
    async stop() {
      child.kill();
      await ended;
    },
  };
}

/** The first line that `serve` says; `mx2s schema serve` has all of it. */
interface ReadyLine {
  readonly homeserver: string;
  readonly server_name: string;
  readonly users: readonly { user_id: string; device_id: string; access_token: string }[];
}

/** Elsewhere it is `mx2s`, or `npx mx2s`. */
const MX2S = fileURLToPath(new URL('../../bin/mx2s.js', import.meta.url));
