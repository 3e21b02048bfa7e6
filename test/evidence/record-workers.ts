/** Records how the gateway fares at a Synapse of many processes: how much it does, and what is lost in restarts. */
import { randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { VERSION } from '../../src/version.js';
import { acceptedPerSecond, answeredPerSecond, type Load } from '../../bench/gateway/throughput.js';
import type { Engine } from '../interop/kit/engine.js';
import { Gateway } from '../interop/kit/gateway.js';
import { loginUser, newSession, registerUser, type HomeserverAddress } from '../interop/kit/homeserver.js';
import type { Session } from '../interop/kit/matrix.js';
import type { NatsProgram } from '../interop/kit/nats-program.js';
import { openNatsServer, type NatsServer } from '../interop/kit/nats-server.js';
import { SYNAPSE_VERSION } from '../interop/kit/python.js';
import { startQueueMembers } from '../interop/kit/queue-members.js';
import { startSynapse } from '../interop/kit/synapse.js';
import {
  startSynapseWorkers,
  WORKERS,
  type SynapseWorkers,
  type WorkerName,
} from '../interop/kit/synapse-workers.js';
import { makeTempDir } from '../kit/temp-dir.js';
import { recordRestarts, type Ending } from './record-restarts.js';
import { Stage } from './stage.js';
import type { Handlers, Throughput, WorkersEvidence } from './workers-evidence.js';

export interface RecordWorkersOptions {
  readonly engine: Engine;
  readonly throughput: { readonly rounds: number; readonly messages: number };
  /** Queue groups on a NATS server, by how many members each has. */
  readonly groups: { readonly nats: NatsServer; readonly members: readonly number[] } | undefined;
  /** How many requests each user sends around each restart. */
  readonly requests: number;
  readonly endings: readonly Ending[];
}

/** All that the evidence is to show; takes some minutes. */
export async function recordWorkersInFull(engine: Engine, program: NatsProgram): Promise<WorkersEvidence> {
  const nats = await openNatsServer(program);
  try {
    return await recordWorkers({
      engine,
      throughput: { rounds: 5, messages: 500 },
      groups: { nats, members: [1, 2, 4] },
      requests: 200,
      endings: ['asked', 'killed'],
    });
  } finally {
    await nats.stop();
  }
}

/**
 * Starts a Synapse of many processes with a gateway, and an ordinary one; measures, restarts one part after the other,
 * and ends everything.
 */
export async function recordWorkers(options: RecordWorkersOptions): Promise<WorkersEvidence> {
  const stage = new Stage();
  try {
    const { engine } = options;
    const home = stage.add(await makeTempDir(), ({ remove }) => remove());
    const other = await startSynapse(engine.python, { serverUser: false, config: IMPATIENT });
    stage.add(other, ({ stop }) => stop());
    const gateway = stage.add(new Gateway(home.path), (started) => started.end('SIGKILL'));
    const workers = await startSynapseWorkers(engine, async ({ baseUrl, serverName }) => {
      await gateway.init(baseUrl, serverName);
      return gateway.registration;
    });
    stage.add(workers, ({ stop }) => stop());
    return await record({ workers, gateway, other: other.address }, options);
  } finally {
    await stage.close();
  }
}

interface Deployment {
  readonly workers: SynapseWorkers;
  readonly gateway: Gateway;
  /** A second homeserver, a user of which asks as well. */
  readonly other: HomeserverAddress;
}

async function record(deployment: Deployment, options: RecordWorkersOptions): Promise<WorkersEvidence> {
  const { workers, gateway, other } = deployment;
  const { engine, groups, requests, endings } = options;
  const { proxy } = workers;
  await gateway.start();
  const throughput = await measure(workers, options.throughput);
  const handlers = await measureHandlers(deployment, options);
  const users = [
    await newSessionAt(workers, 'client1'),
    await newSessionAt(workers, 'client2'),
    await newSession(other),
  ];
  const restarts = await recordRestarts({ workers, gateway, users, requests, endings });
  const answered = proxy.answered();
  return {
    recorded_at: new Date().toISOString(),
    versions: {
      mx2s: VERSION,
      Synapse: SYNAPSE_VERSION,
      PostgreSQL: engine.postgres.version,
      Redis: engine.redis.version,
      ...(groups === undefined ? {} : { 'nats-server': groups.nats.version }),
      Node: process.versions.node,
    },
    processors: availableParallelism(),
    processes: Object.fromEntries(
      Object.entries(WORKERS).map(([name, use]) => [name, { for: use, answered: answered[name] ?? 0 }]),
    ),
    sync_worker: proxy.syncWorkerOf(''),
    throughput,
    handlers,
    restarts,
  };
}

async function measure(
  { address }: SynapseWorkers,
  { rounds: count, messages }: RecordWorkersOptions['throughput'],
): Promise<Throughput> {
  const reader = await newSession(address);
  const load = await loadOf(address, messages);
  const rounds = [];
  for (let n = 0; n < count; n++) {
    rounds.push({
      accepted_per_second: Math.round(await acceptedPerSecond(load, reader)),
      answered_per_second: Math.round(await answeredPerSecond(load, `@:${address.serverName}`)),
    });
  }
  return { messages, senders: SENDERS, rounds };
}

/** Leaves the gateway as it was: running, with `echo`. */
async function measureHandlers(
  { workers: { address }, gateway }: Deployment,
  { groups, throughput: { messages } }: RecordWorkersOptions,
): Promise<Handlers> {
  if (groups === undefined) return { work_ms: WORK_MS, groups: [] };
  const { serverName } = address;
  const url = `nats://${groups.nats.address}/mx2s.evidence`;
  const load = await loadOf(address, messages);
  const home = await makeTempDir();
  const measured = [];
  await gateway.end('SIGTERM');
  await gateway.start(url);
  try {
    for (const members of groups.members) {
      const group = await startQueueMembers({ members, url, serverName, workMs: WORK_MS, home: home.path });
      try {
        const perSecond = await answeredPerSecond(load, `@:${serverName}`);
        measured.push({ answered: group.answered, answered_per_second: Math.round(perSecond) });
      } finally {
        await group.stop();
      }
    }
  } finally {
    await home.remove();
  }
  await gateway.end('SIGTERM');
  await gateway.start('echo');
  return { work_ms: WORK_MS, groups: measured };
}

async function loadOf(address: HomeserverAddress, count: number): Promise<Load> {
  const senders = await Promise.all(Array.from({ length: SENDERS }, () => newSession(address)));
  return { senders, connections: SENDERS, count };
}

/** A new user whose `/sync` is for that worker. */
async function newSessionAt({ address, proxy }: SynapseWorkers, worker: WorkerName): Promise<Session> {
  let name: string;
  do name = `user-${randomBytes(6).toString('hex')}`;
  while (proxy.syncWorkerOf(name) !== worker);
  await registerUser(address, name, name);
  return await loginUser(address, name, name);
}

/** Asks a server that is away again every second, and does not give it up for ten minutes. */
const IMPATIENT = { federation: { max_long_retry_delay: '1s', max_long_retries: 600 } };
const SENDERS = 8;
const WORK_MS = 50;
