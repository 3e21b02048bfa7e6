/** Long polls that are open at a time, and how soon each hears of its message. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { Stage } from '../../test/evidence/stage.js';
import { startBinary } from '../../test/kit/binary.js';
import { openHome } from '../home.js';
import type { LoadSession } from '../load.js';
import type { Served } from '../serve.js';

export interface Polls {
  readonly wanted: number;
  /** Fewer than wanted where the system does not allow as many open files. */
  readonly open: number;
  /** Undefined where all are open. */
  readonly limit: string | undefined;
  /** From the request that sends a message to the answer of the poll that waits for it: milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** What the server has in memory while all are open; undefined where the system does not say. */
  readonly residentMb: number | undefined;
}

export async function measurePolls(wanted: number, say: (line: string) => void): Promise<Polls> {
  const files = openFilesLimit();
  const open = Math.min(wanted, files - SPARE_FILES);
  const limit =
    open < wanted ? `ulimit -n is ${String(files)}: it has to be ${String(wanted + SPARE_FILES)}` : undefined;
  if (limit !== undefined) say(limit);
  const stage = new Stage();
  try {
    const home = await openHome(stage);
    const names = Array.from({ length: open }, (_, n) => ['--user', `user${String(n)}`]).flat();
    const server = stage.add(startBinary(['serve', ...names], { home: home.HOME }), (each) => each.stop());
    const served = JSON.parse(await server.lineOf('stdout', /"ready":true/)) as Served;
    const polls = await openPolls(stage, served);
    const residentMb = await residentMbOf(server.pid);
    const latencies = await latenciesOf(served, polls);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? NaN;
    const result = { wanted, open, limit, p50Ms: at(0.5), p99Ms: at(0.99), residentMb };
    say(`polls: ${JSON.stringify(result)}`);
    return result;
  } finally {
    await stage.close();
  }
}

interface Poll {
  readonly session: LoadSession;
  readonly socket: Socket;
}

/** So many at a time: a listening socket takes only some that it has not accepted yet. */
async function openPolls(stage: Stage, { homeserver, users }: Served): Promise<readonly Poll[]> {
  const { hostname, port } = new URL(homeserver);
  const polls: Poll[] = [];
  for (let first = 0; first < users.length; first += AT_A_TIME) {
    const some = users.slice(first, first + AT_A_TIME);
    polls.push(
      ...(await Promise.all(
        some.map(async (session) => {
          const socket = stage.add(connect(Number(port), hostname), async (each) => each.destroy());
          await once(socket, 'connect');
          socket.write(requestOf('GET', '/_matrix/client/v3/sync?since=t0&timeout=300000', session));
          return { session, socket };
        }),
      )),
    );
  }
  return polls;
}

/** Sorted. One message at a time, to polls from all over; each waits once only. */
async function latenciesOf({ homeserver }: Served, polls: readonly Poll[]): Promise<readonly number[]> {
  const latencies: number[] = [];
  const step = Math.max(1, Math.floor(polls.length / MESSAGES));
  for (let n = 0; n < polls.length; n += step) {
    const { session, socket } = polls[n] ?? { session: undefined, socket: undefined };
    if (session === undefined) break;
    const answer = once(socket, 'data');
    const { user_id: userId, device_id: deviceId, access_token: token } = session;
    const startMs = performance.now();
    const response = await fetch(
      `${homeserver}/_matrix/client/v3/sendToDevice/org.example.scale/${String(n)}`,
      {
        method: 'PUT',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ messages: { [userId]: { [deviceId]: { n } } } }),
      },
    );
    if (!response.ok) throw new Error(`a message was refused: ${await response.text()}`);
    await answer;
    latencies.push(performance.now() - startMs);
  }
  return latencies.sort((a, b) => a - b);
}

function requestOf(method: string, path: string, { access_token: token }: LoadSession): string {
  return `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`;
}

/** Of this process; programs that it starts have the same. */
function openFilesLimit(): number {
  const limit = execFileSync('/bin/sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).trim();
  return limit === 'unlimited' ? Infinity : Number(limit);
}

async function residentMbOf(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(status)?.[1];
  return kib === undefined ? undefined : Math.round(Number(kib) / 1024);
}

const SPARE_FILES = 200;
const AT_A_TIME = 100;
const MESSAGES = 500;
