/** What was recorded of the gateway at a Synapse of many processes, and whether it is what it is shown as. */

/** The content of `docs/evidence/workers.json`. */
export interface WorkersEvidence {
  /** When it was recorded, ISO 8601. */
  readonly recorded_at: string;
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** How many processors the machine has, which everything shares. */
  readonly processors: number;
  /** Process of Synapse → what it is for. */
  readonly processes: Readonly<Record<string, ServingProcess>>;
  /** The process that is first for the `/sync` of the gateway. */
  readonly sync_worker: string;
  readonly throughput: Throughput;
  readonly handlers: Handlers;
  readonly restarts: readonly Restart[];
}

export interface ServingProcess {
  readonly for: string;
  /** Requests that it has answered, of clients, of the gateway and of other servers. */
  readonly answered: number;
}

/** Messages per second. */
export interface Throughput {
  /** How many messages are sent in each round, twice. */
  readonly messages: number;
  /** How many users send them, each one request at a time. */
  readonly senders: number;
  readonly rounds: readonly ThroughputRound[];
}

export interface ThroughputRound {
  /** To another user: what Synapse takes. */
  readonly accepted_per_second: number;
  /** To the server user: answered by the gateway, and the answers read by their senders. */
  readonly answered_per_second: number;
}

/** The same behind NATS, where one member of a queue group gets each message; each is a process of mx2s. */
export interface Handlers {
  /** How long a member works on a message, before it takes the next. */
  readonly work_ms: number;
  readonly groups: readonly HandlerGroup[];
}

export interface HandlerGroup {
  /** Messages that each member has answered. */
  readonly answered: readonly number[];
  readonly answered_per_second: number;
}

/** A restart amid requests of several users, who send until all are answered or no more answers come. */
export interface Restart {
  readonly what: string;
  /** That it was ended with. */
  readonly signal: string;
  /** From the signal until it was back. */
  readonly down_ms: number;
  readonly requests: number;
  /** Of these, from a user of another server. */
  readonly requests_from_afar: number;
  readonly answered_before: number;
  readonly answered_meanwhile: number;
  /** Requests without an answer. */
  readonly lost: number;
  /** Answers beyond the first. */
  readonly doubled: number;
}

/** What can be restarted beside the processes of Synapse. */
export const GATEWAY = 'mx2s gateway';
export const REDIS = 'Redis';
export const POSTGRESQL = 'PostgreSQL';

/** Everything in the evidence that is not as it should be, a line each; empty for good evidence. */
export function workersFaults(evidence: WorkersEvidence): string[] {
  const { processes, sync_worker: syncWorker, throughput, restarts } = evidence;
  const faults = restarts.flatMap((restart) =>
    restartFaults(restart).map((fault) => `${restart.what} (${restart.signal}): ${fault}`),
  );
  for (const what of [GATEWAY, syncWorker, 'to_device1', 'main', REDIS, POSTGRESQL]) {
    if (!restarts.some((restart) => restart.what === what)) faults.push(`${what} was not restarted`);
  }
  for (const name of ['main', 'client1', 'client2', 'to_device1', 'federation_reader1']) {
    if ((processes[name]?.answered ?? 0) === 0) faults.push(`${name} has answered nothing`);
  }
  if (throughput.rounds.length === 0) faults.push('throughput was not measured');
  return faults;
}

function restartFaults({
  requests,
  requests_from_afar: afar,
  answered_before: before,
  lost,
}: Restart): string[] {
  const faults = [];
  if (lost > 0) faults.push(`${String(lost)} of ${String(requests)} requests were lost`);
  if (before === 0 || before >= requests) faults.push('it was not amid the requests');
  if (afar === 0) faults.push('nobody of another server has asked');
  return faults;
}
