/**
 * `npm run bench:gateway [-- ROUNDS [MESSAGES]]`: messages a second through the gateway, against what Synapse alone
 * accepts.
 *
 * An answer is a message of its own: what goes through the gateway costs Synapse two of them, and its senders' syncs.
 */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { newSession, type HomeserverAddress } from '../../test/interop/kit/homeserver.js';
import { SYNAPSE_VERSION, synapsePython } from '../../test/interop/kit/python.js';
import { startSynapse } from '../../test/interop/kit/synapse.js';
import { runBinary, startBinary, type RunningBinary } from '../../test/kit/binary.js';
import { makeTempDir } from '../../test/kit/temp-dir.js';
import { median } from '../statistics.js';
import { startCostlessHomeserver } from './costless-homeserver.js';
import { acceptedPerSecond, answeredPerSecond } from './throughput.js';

/** Messages per second of one round; each is measured after the other, so that they share the weather. */
export interface GatewayRound {
  /** What Synapse takes for a user with one device. */
  readonly accepted: number;
  /** Requests of as many users as there are connections, from the first sent to the last answer read. */
  readonly answered: number;
  /** The same of one user. */
  readonly answered_one_user: number;
  /** What the gateway answers at a homeserver that costs nothing. */
  readonly gateway_alone: number;
  /** How much of one processor the gateway took for `answered`, in percent; NaN where the system does not say. */
  readonly gateway_load: number;
}

/** Prints a line of JSON for each round, and one of medians. Gives the exit status: 1 without a Synapse. */
export async function bench(args: readonly string[]): Promise<number> {
  const [rounds = 5, count = 1000] = args.map(Number);
  const found = await synapsePython(process.env);
  if ('missing' in found) {
    process.stderr.write(`NOT MEASURED: this needs a real Synapse: ${found.missing}\n`);
    return 1;
  }
  const results = await withSynapse(found.python, async (address, gateway) => {
    const users = await Promise.all(Array.from({ length: CONNECTIONS }, () => newSession(address)));
    const sink = await newSession(address);
    const load = { senders: users, connections: CONNECTIONS, count };
    const done: GatewayRound[] = [];
    const serverUser = `@:${address.serverName}`;
    while (done.length < rounds) {
      const accepted = await acceptedPerSecond(load, sink);
      const startedMs = performance.now();
      const usedMs = processorMs(gateway);
      const answered = await answeredPerSecond(load, serverUser);
      const gatewayLoad = (100 * (processorMs(gateway) - usedMs)) / (performance.now() - startedMs);
      const round = {
        accepted,
        answered,
        answered_one_user: await answeredPerSecond({ ...load, senders: users.slice(0, 1) }, serverUser),
        gateway_alone: await gatewayAlone(10 * count),
        gateway_load: gatewayLoad,
      };
      print({ round: done.push(round), ...rounded(round) });
    }
    return done;
  });
  const middle = (key: keyof GatewayRound): number => median(results.map((round) => round[key]));
  print({
    medians: rounded({
      accepted: middle('accepted'),
      answered: middle('answered'),
      answered_one_user: middle('answered_one_user'),
      gateway_alone: middle('gateway_alone'),
      gateway_load: middle('gateway_load'),
    }),
    rounds,
    messages: count,
    connections: CONNECTIONS,
    synapse: SYNAPSE_VERSION,
    node: process.versions.node,
    processors: availableParallelism(),
  });
  return 0;
}

/** A Synapse set up as its operator would, with a gateway that echoes, while `work` runs. */
async function withSynapse<T>(
  python: string,
  work: (address: HomeserverAddress, gateway: RunningBinary) => Promise<T>,
): Promise<T> {
  const home = await makeTempDir();
  const synapse = await startSynapse(python, { serverUser: false });
  try {
    const { baseUrl, serverName } = synapse.address;
    const registration = join(home.path, 'mx2s.yaml');
    const place = ['--homeserver', baseUrl, '--server-name', serverName, '--registration', registration];
    const { code, stderr } = await runBinary(['gateway', 'init', ...place], { home: home.path });
    if (code !== 0) throw new Error(`gateway init ended with ${String(code)}: ${stderr}`);
    await synapse.configure({ app_service_config_files: [registration] });
    await synapse.halt();
    await synapse.resume();
    return await withGateway(home.path, registration, (gateway) => work(synapse.address, gateway));
  } finally {
    await synapse.stop();
    await home.remove();
  }
}

async function gatewayAlone(count: number): Promise<number> {
  const home = await makeTempDir();
  const homeserver = await startCostlessHomeserver(count);
  try {
    const registration = join(home.path, 'mx2s.yaml');
    const place = { homeserver: homeserver.url, server_name: homeserver.serverName };
    await writeFile(registration, JSON.stringify({ as_token: 'token', 'mx2s.gateway': place }));
    return await withGateway(home.path, registration, () => homeserver.answeredPerSecond);
  } finally {
    await homeserver.stop();
    await home.remove();
  }
}

async function withGateway<T>(
  home: string,
  registration: string,
  work: (gateway: RunningBinary) => Promise<T>,
): Promise<T> {
  const gateway = startBinary(['gateway', '--registration', registration, '--on', 'org.example.*=echo'], {
    home,
  });
  try {
    await gateway.lineOf('stdout', /"ready":true/);
    return await work(gateway);
  } finally {
    await gateway.stop();
  }
}

/** Processor time of a process, as Linux counts it in hundredths of a second. */
function processorMs({ pid }: RunningBinary): number {
  try {
    const fields = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return 10 * (Number(fields[11]) + Number(fields[12])); // utime and stime
  } catch {
    return NaN;
  }
}

function rounded(round: GatewayRound): Record<string, number> {
  return Object.fromEntries(Object.entries(round).map(([key, value]) => [key, Math.round(value as number)]));
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const CONNECTIONS = 8;
