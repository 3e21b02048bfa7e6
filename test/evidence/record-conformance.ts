/** Runs `mx2s check` against homeservers on loopback, as anybody could, and keeps what it says of each. */
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { VERSION } from '../../src/version.js';
import { objectsOf } from '../interop/kit/account.js';
import { giveServerUser, startDendrite, UNVERIFIED_DENDRITE } from '../interop/kit/dendrite.js';
import { DENDRITE_VERSION, type DendriteProgram } from '../interop/kit/dendrite-program.js';
import { newSession } from '../interop/kit/homeserver.js';
import type { Session } from '../interop/kit/matrix.js';
import { SYNAPSE_VERSION } from '../interop/kit/python.js';
import { environmentOf, INSECURE, ServeHost } from '../interop/kit/serve.js';
import { startSynapse } from '../interop/kit/synapse.js';
import { UNVERIFIED } from '../interop/kit/synapse-configuration.js';
import { BINARY, isolatedEnv, runBinary, startBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';
import type { CheckedServer, CheckResult, ConformanceEvidence } from './conformance-evidence.js';
import { Stage } from './stage.js';

export interface ConformanceOptions {
  /** The interpreter that has Synapse. */
  readonly python: string;
  readonly dendrite: DendriteProgram;
}

export interface RecordedConformance {
  readonly evidence: ConformanceEvidence;
  /** Name of the server → what `mx2s check --text --verbose` printed of it, in a second look. */
  readonly transcripts: Readonly<Record<string, string>>;
}

/** Starts each homeserver, looks at it and ends it, one after the other. */
export async function recordConformance(options: ConformanceOptions): Promise<RecordedConformance> {
  const { python, dendrite } = options;
  const hasDendrite = !('missing' in dendrite);
  const targets: Target[] = [
    { name: 'mx2s serve', setup: `mx2s ${VERSION}; \`--allow-registration\``, open: openServe },
    { name: 'Synapse', setup: SYNAPSE, open: (stage) => openSynapse(stage, python) },
    {
      name: 'Synapse with mx2s gateway',
      setup: `${SYNAPSE}; the registration of \`mx2s gateway init\``,
      open: (stage) => openSynapseWithGateway(stage, python),
    },
  ];
  if (hasDendrite) {
    targets.push(
      { name: 'Dendrite', setup: DENDRITE, open: (stage) => openDendrite(stage, dendrite) },
      {
        name: 'Dendrite with mx2s gateway',
        setup: `${DENDRITE}; the account of its server notices is \`@:server_name\``,
        open: (stage) => openDendriteWithGateway(stage, dendrite),
      },
    );
  }
  const servers: CheckedServer[] = [];
  const transcripts: Record<string, string> = {};
  for (const target of targets) {
    const { server, transcript } = await look(target);
    servers.push(server);
    transcripts[server.name] = transcript;
  }
  const evidence: ConformanceEvidence = {
    recorded_at: new Date().toISOString(),
    versions: {
      mx2s: VERSION,
      Synapse: SYNAPSE_VERSION,
      ...(hasDendrite && { Dendrite: DENDRITE_VERSION }),
      Node: process.versions.node,
    },
    servers,
  };
  return { evidence, transcripts };
}

interface Target {
  readonly name: string;
  readonly setup: string;
  open(stage: Stage): Promise<Accounts>;
}

/** Two users of the homeserver. */
type Accounts = readonly [alice: Session, bob: Session];

async function look({ name, setup, open }: Target): Promise<{ server: CheckedServer; transcript: string }> {
  const stage = new Stage();
  try {
    const [alice, bob] = await open(stage);
    const home = stage.add(await makeTempDir(), (folder) => folder.remove());
    const env = { ...environmentOf(alice), MX2S_OTHER_ACCESS_TOKEN: bob.accessToken };
    const { code, stdout, stderr } = await runBinary(['check', alice.baseUrl, ...FLAGS, '--json'], {
      home: home.path,
      env,
    });
    if (code !== 0 && code !== 1) throw new Error(`check of ${name} ended with ${String(code)}: ${stderr}`);
    const results = objectsOf(stdout) as unknown as CheckResult[];
    const args = ['check', alice.baseUrl, ...FLAGS, '--text', '--verbose'];
    const command = ['mx2s check "$MX2S_HOMESERVER"', ...FLAGS].join(' ');
    return {
      server: { name, setup, command, exit_code: code, results },
      transcript: `$ ${command} --text --verbose\n${await printedTogether(args, home.path, env)}`,
    };
  } finally {
    await stage.close();
  }
}

/** Both streams of `mx2s ARGS`, as a terminal shows them. */
async function printedTogether(
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const options = { cwd: home, env: { ...isolatedEnv(home), ...env } };
  const shell = spawn('sh', ['-c', 'exec "$0" "$@" 2>&1', BINARY, ...args], options);
  shell.stdin.end();
  return text(shell.stdout);
}

// --- the homeservers --------------------------------------------------------------------------------------

async function openServe(stage: Stage): Promise<Accounts> {
  const host = stage.add(await ServeHost.open(), (opened) => opened.close());
  const { alice, bob } = await host.start(...INSECURE, '--allow-registration');
  return [alice, bob];
}

async function openSynapse(stage: Stage, python: string): Promise<Accounts> {
  const options = { serverUser: false, config: SYNAPSE_CONFIG };
  const { address } = stage.add(await startSynapse(python, options), (synapse) => synapse.stop());
  return [await newSession(address), await newSession(address)];
}

async function openSynapseWithGateway(stage: Stage, python: string): Promise<Accounts> {
  const home = stage.add(await makeTempDir(), (folder) => folder.remove());
  const registration = join(home.path, 'mx2s.yaml');
  const synapse = await startSynapse(python, { serverUser: false, config: SYNAPSE_CONFIG });
  stage.add(synapse, (started) => started.stop());
  const { address } = synapse;
  const place = ['--homeserver', address.baseUrl, '--server-name', address.serverName];
  await runBinary(['gateway', 'init', ...place, '--registration', registration], { home: home.path });
  await synapse.configure({ app_service_config_files: [registration] });
  await synapse.halt();
  await synapse.resume();
  await startGateway(stage, home.path, ['--registration', registration]);
  return [await newSession(address), await newSession(address)];
}

async function openDendrite(stage: Stage, program: DendriteProgram): Promise<Accounts> {
  const { address } = stage.add(await startDendrite(program, DENDRITE_OPTIONS), (dendrite) =>
    dendrite.stop(),
  );
  return [await newSession(address), await newSession(address)];
}

async function openDendriteWithGateway(stage: Stage, program: DendriteProgram): Promise<Accounts> {
  const home = stage.add(await makeTempDir(), (folder) => folder.remove());
  const dendrite = await startDendrite(program, DENDRITE_OPTIONS);
  stage.add(dendrite, (started) => started.stop());
  const { address } = dendrite;
  await writeFile(join(home.path, 'password'), await giveServerUser(dendrite));
  const place = ['--homeserver', address.baseUrl, '--server-name', address.serverName];
  await startGateway(stage, home.path, [...place, '--password-file', 'password']);
  return [await newSession(address), await newSession(address)];
}

/** `mx2s.ping` is answered without `--on`. */
async function startGateway(stage: Stage, home: string, args: readonly string[]): Promise<void> {
  const gateway = startBinary(['gateway', ...args], { home });
  stage.add(gateway, (running) => running.stop());
  await gateway.lineOf('stdout', /"ready":true/);
}

const FLAGS = ['--federation', '--federation-insecure', '--allow-register'];

/** Accounts can be registered without more ado, so that what registration refuses is refused for its own sake. */
const SYNAPSE_CONFIG = {
  ...UNVERIFIED,
  enable_registration: true,
  enable_registration_without_verification: true,
};
const DENDRITE_OPTIONS = {
  openRegistration: true,
  config: { ...UNVERIFIED_DENDRITE, client_api: { registration_disabled: false } },
};
const SYNAPSE = `Synapse ${SYNAPSE_VERSION}, one process, SQLite; registration is open, presence is off`;
const DENDRITE = `Dendrite ${DENDRITE_VERSION}, SQLite; registration is open`;
