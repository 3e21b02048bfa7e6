/**
 * A real Synapse of many processes, as large homeservers run it: a main process and workers over one PostgreSQL, which
 * tell each other through Redis what is new, behind a proxy. They listen on unix sockets; only the proxy has ports.
 */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from './engine.js';
import { end, start, untilItAnswers } from './homeserver-process.js';
import { freePorts } from './ports.js';
import { startPostgres, type Postgres } from './postgres.js';
import { startRedis, type Redis } from './redis.js';
import { configurationFiles } from './synapse-configuration.js';
import type { SynapseAddress } from './synapse.js';
import { startWorkerProxy, type WorkerProxy } from './worker-proxy.js';

/** The processes, by the names that Synapse knows them by, and what each is for. */
export const WORKERS = {
  main: 'all that is for no other, such as the admin API',
  client1: 'login, and /sync of one half of the users',
  client2: 'login, and /sync of the other half',
  to_device1: '/sendToDevice; writes the stream of to-device messages, those of other servers too',
  event_persister1: 'writes the stream of room events',
  federation_reader1: 'what other servers send',
  federation_sender1: 'what is sent to other servers',
} as const;

export type WorkerName = keyof typeof WORKERS;

export interface SynapseWorkers {
  readonly address: SynapseAddress;
  readonly proxy: WorkerProxy;
  readonly postgres: Postgres;
  readonly redis: Redis;
  /** Ends one process. */
  halt(name: WorkerName, signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again, and resolves when it answers. */
  resume(name: WorkerName): Promise<void>;
  /** Ends everything, and removes what it has stored. */
  stop(): Promise<void>;
}

/**
 * Starts all of it, and resolves when each process answers.
 *
 * `register` makes the registration of an application service for the homeserver that is to be, and gives its file.
 */
export async function startSynapseWorkers(
  engine: Engine,
  register: (address: SynapseAddress) => Promise<string>,
): Promise<SynapseWorkers> {
  const ends: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const each of ends.splice(0).reverse()) await each();
  };
  try {
    const folder = await mkdtemp(join(tmpdir(), 'mx2s-workers-'));
    ends.push(() => rm(folder, { recursive: true, force: true }));
    const [clientPort, federationPort] = await freePorts();
    const address: SynapseAddress = {
      baseUrl: `http://127.0.0.1:${String(clientPort)}`,
      serverName: `localhost:${String(federationPort)}`,
      federationPort,
      registrationSecret: randomBytes(24).toString('hex'),
      asToken: '', // there is no application service but the one that is registered
    };
    const postgres = await startPostgres(engine.postgres);
    ends.push(() => postgres.stop());
    const redis = await startRedis(engine.redis);
    ends.push(() => redis.stop());
    const shared = {
      ...sharedConfiguration(folder),
      database: { name: 'psycopg2', args: { ...postgres.connection, cp_min: 1, cp_max: 10 } },
      redis: { enabled: true, path: redis.path },
      app_service_config_files: [await register(address)],
    };
    const files = {
      ...configurationFiles(folder, clientPort, address, shared),
      ...Object.fromEntries(NAMES.filter(isWorker).map((name) => workerFile(folder, name))),
    };
    await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));

    const children = new Map<WorkerName, ChildProcess>();
    const killAtExit = () => children.forEach((child) => child.kill('SIGKILL'));
    process.once('exit', killAtExit);
    ends.push(async () => {
      const main = children.get('main');
      children.delete('main'); // goes last: the workers ask it
      await Promise.all([...children.values()].map((child) => end(child)));
      await end(main);
      process.off('exit', killAtExit);
    });
    const resume = async (name: WorkerName) => {
      const log = `${name}.log`;
      const command = [engine.python, ...argumentsOf(name)] as const;
      const child = start({ command, env: { GIT_DIR: folder }, folder }, log);
      children.set(name, child);
      await untilItAnswers(child, () => isHealthy(socketOf(folder, name))).catch(async (cause: unknown) => {
        const said = await readFile(join(folder, log), 'utf8');
        throw new Error(`${name} did not start; it said:\n${said.slice(-3000)}`, { cause });
      });
    };
    await resume('main'); // which makes the tables
    await Promise.all(NAMES.filter(isWorker).map(resume));

    const proxy = await startWorkerProxy({
      clientPort,
      federationPort,
      clientWorkers: ['client1', 'client2'] satisfies WorkerName[],
      toDeviceWriter: 'to_device1' satisfies WorkerName,
      federationReader: 'federation_reader1' satisfies WorkerName,
      main: 'main' satisfies WorkerName,
      socketOf: (name) => socketOf(folder, name),
    });
    ends.push(() => proxy.stop());
    const halt: SynapseWorkers['halt'] = (name, signal) => end(children.get(name), signal);
    return { address, proxy, postgres, redis, halt, resume, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** What all processes are told, the main one included. */
function sharedConfiguration(folder: string): Record<string, unknown> {
  const location = (name: string) => ({ path: replicationSocketOf(folder, name) });
  return {
    listeners: [
      listener(socketOf(folder, 'main'), ['client', 'federation']),
      listener(replicationSocketOf(folder, 'main'), ['replication']),
    ],
    worker_replication_secret: randomBytes(24).toString('hex'),
    instance_map: Object.fromEntries(['main', ...WRITERS].map((name) => [name, location(name)])),
    stream_writers: { to_device: ['to_device1'], events: ['event_persister1'] },
    federation_sender_instances: ['federation_sender1'],
  };
}

/** What a worker is told beside. */
function workerFile(folder: string, name: WorkerName): [file: string, text: string] {
  const listeners = [listener(socketOf(folder, name), RESOURCES[name] ?? ['health'])];
  if (WRITERS.includes(name)) listeners.push(listener(replicationSocketOf(folder, name), ['replication']));
  const worker = {
    worker_app: 'synapse.app.generic_worker',
    worker_name: name,
    worker_listeners: listeners,
    worker_log_config: join(folder, 'log.yaml'),
  };
  return [`${name}.yaml`, JSON.stringify(worker)];
}

function listener(path: string, names: readonly string[]) {
  return { path, type: 'http', resources: [{ names, compress: false }] };
}

function argumentsOf(name: WorkerName): string[] {
  return name === 'main'
    ? ['-m', 'synapse.app.homeserver', '-c', 'homeserver.yaml']
    : ['-m', 'synapse.app.generic_worker', '-c', 'homeserver.yaml', '-c', `${name}.yaml`];
}

function isHealthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/health' }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    })
      .once('error', reject)
      .end();
  });
}

function isWorker(name: WorkerName): boolean {
  return name !== 'main';
}

function socketOf(folder: string, name: string): string {
  return join(folder, `${name}.sock`);
}

function replicationSocketOf(folder: string, name: string): string {
  return join(folder, `${name}-replication.sock`);
}

const NAMES = Object.keys(WORKERS) as WorkerName[];
/** Those who are told by others what to write. */
const WRITERS: readonly WorkerName[] = ['to_device1', 'event_persister1'];
const RESOURCES: Readonly<Partial<Record<WorkerName, readonly string[]>>> = {
  client1: ['client'],
  client2: ['client'],
  to_device1: ['client'],
  federation_reader1: ['federation'],
};
