/** Restarts one part of a deployment after the other, each amid requests of users, and counts what is lost. */
import { Flow } from '../interop/kit/flow.js';
import type { Gateway } from '../interop/kit/gateway.js';
import type { Session } from '../interop/kit/matrix.js';
import type { SynapseWorkers, WorkerName } from '../interop/kit/synapse-workers.js';
import { GATEWAY, POSTGRESQL, REDIS, type Restart } from './workers-evidence.js';

/** How a process ends: it is asked to, or it is not. */
export type Ending = 'asked' | 'killed';

export interface RestartOptions {
  readonly workers: SynapseWorkers;
  readonly gateway: Gateway;
  /** Who ask. */
  readonly users: readonly Session[];
  /** How many requests each of them sends around each restart. */
  readonly requests: number;
  readonly endings: readonly Ending[];
}

export async function recordRestarts(options: RestartOptions): Promise<Restart[]> {
  const restarts: Restart[] = [];
  for (const ending of options.endings) {
    for (const plan of plansOf(options, ending)) restarts.push(await recordRestart(plan, options));
  }
  return restarts;
}

interface Plan {
  readonly what: string;
  readonly signal: NodeJS.Signals;
  end(): Promise<void>;
  start(): Promise<void>;
}

function plansOf({ workers, gateway }: RestartOptions, ending: Ending): Plan[] {
  const { proxy, redis, postgres } = workers;
  const signal = ending === 'asked' ? 'SIGTERM' : 'SIGKILL';
  const ofSynapse = (name: WorkerName): Plan => ({
    what: name,
    signal,
    end: () => workers.halt(name, signal),
    start: () => workers.resume(name),
  });
  const shutdown = ending === 'asked' ? 'SIGINT' : 'SIGQUIT';
  return [
    { what: GATEWAY, signal, end: () => gateway.end(signal), start: () => gateway.start() },
    ofSynapse(proxy.syncWorkerOf('') as WorkerName),
    ofSynapse('to_device1'),
    ofSynapse('main'),
    { what: REDIS, signal, end: () => redis.halt(signal), start: () => redis.resume() },
    {
      what: POSTGRESQL,
      signal: shutdown,
      end: () => postgres.halt(shutdown),
      start: () => postgres.resume(),
    },
  ];
}

async function recordRestart(plan: Plan, { workers, users, requests }: RestartOptions): Promise<Restart> {
  const { baseUrl, serverName } = workers.address;
  const flows = await Promise.all(users.map((user) => Flow.start(user, `@:${serverName}`, requests)));
  const answered = () => flows.reduce((sum, flow) => sum + flow.answeredCount, 0);
  await Promise.all(flows.map((flow) => flow.answered(Math.ceil(requests / 10))));

  const answeredBefore = answered();
  const startMs = performance.now();
  const outage = plan.end().then(() => plan.start());
  await Promise.all(flows.map((flow) => flow.during(() => outage)));
  const downMs = Math.round(performance.now() - startMs);
  const answeredMeanwhile = answered() - answeredBefore;

  const ends = await Promise.all(flows.map((flow) => flow.end()));
  const sum = (key: 'lost' | 'doubled') => ends.reduce((total, end) => total + end[key], 0);
  return {
    what: plan.what,
    signal: plan.signal,
    down_ms: downMs,
    requests: users.length * requests,
    requests_from_afar: users.filter((user) => user.baseUrl !== baseUrl).length * requests,
    answered_before: answeredBefore,
    answered_meanwhile: answeredMeanwhile,
    lost: sum('lost'),
    doubled: sum('doubled'),
  };
}
