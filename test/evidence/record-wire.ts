/** Records how the four shapes of the proposal go over the wire, in runs of the real programs on loopback. */
import { VERSION } from '../../src/version.js';
import type { Session } from '../interop/kit/matrix.js';
import { freePorts } from '../interop/kit/ports.js';
import { SYNAPSE_VERSION } from '../interop/kit/python.js';
import { startRecorder, type Exchange, type Recorder } from '../interop/kit/recorder.js';
import { startResponder } from '../interop/kit/responder.js';
import { environmentOf, ServeHost, TRUSTING, VERIFYING } from '../interop/kit/serve.js';
import { loginServerUser, loginUser, registerUser, startSynapse } from '../interop/kit/synapse.js';
import { runBinary } from '../kit/binary.js';
import type { Shape } from './shapes.js';
import { Stage } from './stage.js';
import {
  QUESTION,
  type RecordedServer,
  type Run,
  type Sighting,
  type WireEvidence,
} from './wire-evidence.js';

export interface RecordOptions {
  /** The interpreter that has Synapse. */
  readonly python: string;
  /** Those in the names of the servers; 0 for any free one. */
  readonly ports: Readonly<Record<'one' | 'two' | 'synapse' | 'speaker', number>>;
}

/**
 * Starts two `mx2s serve` and a Synapse, each behind recorders; lets `mx2s request` ask its own server and others, all
 * of which echo, and `mx2s send --as` speak unasked; and keeps what was seen. Everything that it starts it ends.
 */
export async function recordWire({ python, ports }: RecordOptions): Promise<WireEvidence> {
  const stage = new Stage();
  try {
    const host = stage.add(await ServeHost.open(), (opened) => opened.close());
    const one = await openServe(stage, host, ports.one);
    const two = await openServe(stage, host, ports.two);
    const synapse = await openSynapse(stage, python, ports.synapse);
    const speaker = await openFront(stage, ports.speaker, 'mx2s send --as');
    const runs = [
      await ask(host, one, one, 'A client asks its own server'),
      await ask(host, one, two, 'A client asks another server'),
      await ask(host, synapse, two, 'A client of Synapse asks mx2s serve'),
      await ask(host, one, synapse, 'A client of mx2s serve asks Synapse'),
      await speak(host, speaker, synapse, 'A server speaks to a device of a user of Synapse'),
    ];
    const servers = await Promise.all([one, two, synapse, speaker].map(recordServer));
    return {
      recorded_at: new Date().toISOString(),
      versions: { mx2s: VERSION, Synapse: SYNAPSE_VERSION, Node: process.versions.node },
      servers: Object.fromEntries(servers),
      runs,
    };
  } finally {
    await stage.close();
  }
}

/** The recorders that stand before a server. */
interface Front {
  readonly software: string;
  /** Where its federation recorder is. */
  readonly serverName: string;
  readonly serverUser: string;
  readonly federation: Recorder;
  readonly client: Recorder;
}

/** A server behind recorders, and a user there. */
interface Party extends Front {
  /** As its own clients reach it: past the recorder. */
  readonly alice: Session;
}

async function openServe(stage: Stage, host: ServeHost, port: number): Promise<Party> {
  const front = await openFront(stage, port, 'mx2s serve');
  const { alice, federationUrl } = await host.start(
    ...VERIFYING,
    ...['--server-name', front.serverName, '--on', 'org.example.*=echo'],
  );
  front.federation.forwardTo(federationUrl);
  front.client.forwardTo(alice.baseUrl);
  return { ...front, alice };
}

async function openSynapse(stage: Stage, python: string, port: number): Promise<Party> {
  const front = await openFront(stage, port, 'Synapse');
  const started = await startSynapse(python, { serverName: front.serverName });
  const { address } = stage.add(started, (synapse) => synapse.stop());
  front.federation.forwardTo(`https://127.0.0.1:${String(address.federationPort)}`);
  front.client.forwardTo(address.baseUrl);
  await registerUser(address, 'alice', 'a password');
  stage.add(startResponder(await loginServerUser(address), echo), (responder) => responder.stop());
  return { ...front, alice: await loginUser(address, 'alice', 'a password') };
}

async function openFront(stage: Stage, port: number, software: string): Promise<Front> {
  const end = (recorder: Recorder) => recorder.stop();
  const federation = stage.add(await startRecorder({ tls: true, port }), end);
  const client = stage.add(await startRecorder({ tls: false }), end);
  const serverName = `localhost:${String(federation.port)}`;
  return { software, serverName, serverUser: `@:${serverName}`, federation, client };
}

function echo({ type, content }: { type: string; content: Record<string, unknown> }) {
  return { type, content };
}

/** Runs `mx2s request` for alice of `from`, and collects what the recorders have seen of it. */
async function ask(host: ServeHost, from: Party, to: Party, title: string): Promise<Run> {
  const command = await run(host, ['request', to.serverUser, ...MESSAGE, '--timeout', '30s'], from);
  const isForServer = ({ messages }: Found) => messages?.[to.serverUser] !== undefined;
  const isQuestion = ({ content }: Found) => content?.sender === from.alice.userId && isForServer(content);
  const seen = [await sight(from.client, 'client-request', `mx2s to ${nameOf(from)}`, isForServer)];
  if (from !== to) {
    seen.push(await sight(to.federation, 'edu-to-server', `${nameOf(from)} to ${nameOf(to)}`, isQuestion));
    seen.push(await sightAnswer(to, from));
  }
  seen.push(await sightEvent(to, from));
  return { title, command, is_asked: true, from: from.serverName, to: to.serverName, seen };
}

/** Runs `mx2s send --as` the server `from` to alice of `to`, and `mx2s listen` for alice. */
async function speak(host: ServeHost, from: Front, to: Party, title: string): Promise<Run> {
  const [port] = await freePorts();
  from.federation.forwardTo(`https://127.0.0.1:${String(port)}`);
  await run(host, ['keygen', 'signing.key']);
  const command = await run(host, [
    ...['send', to.alice.userId, '--device', to.alice.deviceId, ...MESSAGE],
    ...['--as', from.serverUser, '--signing-key', 'signing.key'],
    ...['--listen', `127.0.0.1:${String(port)}`, ...TRUSTING],
  ]);
  await run(host, ['listen', '--count', '1', '--from', from.serverUser, '--timeout', '30s'], to);
  const seen = [await sightAnswer(from, to), await sightEvent(from, to)];
  return { title, command, is_asked: false, from: to.serverName, to: from.serverName, seen };
}

/** Runs `mx2s`, for alice of `party` through its recorder, and gives the command as one types it. */
async function run(host: ServeHost, args: readonly string[], party?: Party): Promise<string> {
  const env =
    party && environmentOf({ ...party.alice, baseUrl: `http://127.0.0.1:${String(party.client.port)}` });
  const { code, stderr } = await runBinary(args, { home: host.folder, env });
  const command = ['mx2s', ...args.map((arg) => (arg.startsWith('{') ? `'${arg}'` : arg))].join(' ');
  if (code !== 0) throw new Error(`${command} ended with ${String(code)}: ${stderr}`);
  return command;
}

/** What the server `from` says to alice of `to`, on its way there. */
function sightAnswer(from: Front, to: Party): Promise<Sighting> {
  return sight(
    to.federation,
    'edu-from-server',
    `${nameOf(from)} to ${nameOf(to)}`,
    ({ content }) => content?.sender === from.serverUser && content.messages?.[to.alice.userId] !== undefined,
  );
}

/** And where alice reads it. */
function sightEvent(from: Front, to: Party): Promise<Sighting> {
  return sight(to.client, 'sync-event', `${nameOf(to)} to mx2s`, ({ sender }) => sender === from.serverUser);
}

function nameOf({ software, serverName }: Front): string {
  return `${software} (${serverName})`;
}

/** A request, an EDU or an event: what may be looked for in any of them. */
interface Found {
  readonly sender?: string;
  readonly messages?: Readonly<Record<string, unknown>>;
  readonly content?: Found;
}

/** Waits for the shape, which may have passed already. */
async function sight(
  recorder: Recorder,
  shape: Shape,
  where: string,
  isWanted: (found: Found) => boolean,
): Promise<Sighting> {
  const wanted = (exchange: Exchange) => candidatesIn(exchange, shape).find(({ found }) => isWanted(found));
  const exchange = await recorder.exchange((each) => wanted(each) !== undefined);
  const { method, target, requestHeaders, status, requestBody, responseBody } = exchange;
  return {
    shape,
    where,
    method,
    target,
    headers: shownHeaders(requestHeaders),
    status,
    body: shape === 'sync-event' ? responseBody : requestBody,
    at: wanted(exchange)?.at ?? '',
  };
}

/** Everything in an exchange that may be the shape, and where it stands in the body. */
function candidatesIn(exchange: Exchange, shape: Shape): { at: string; found: Found }[] {
  const { target, requestBody, responseBody } = exchange;
  switch (shape) {
    case 'client-request':
      return target.includes('/sendToDevice/') ? [{ at: '', found: JSON.parse(requestBody) as Found }] : [];
    case 'edu-to-server':
    case 'edu-from-server': {
      if (!target.startsWith('/_matrix/federation/v1/send/')) return [];
      const { edus = [] } = JSON.parse(requestBody) as { edus?: Found[] };
      return edus.map((found, index) => ({ at: `/edus/${String(index)}`, found }));
    }
    case 'sync-event': {
      if (!target.includes('/sync?')) return [];
      const { to_device: toDevice } = JSON.parse(responseBody) as { to_device?: { events: Found[] } };
      return (toDevice?.events ?? []).map((found, index) => ({
        at: `/to_device/events/${String(index)}`,
        found,
      }));
    }
  }
}

/** Signatures are no secrets: with them everybody can check who has sent it. */
function shownHeaders(headers: Exchange['requestHeaders']): Record<string, string> {
  const shown: Record<string, string> = {};
  for (const name of ['user-agent', 'content-type', 'authorization'] as const) {
    const value = headers[name];
    if (value !== undefined) shown[name] = value.replace(/^Bearer .*/, 'Bearer ***');
  }
  return shown;
}

async function recordServer({ federation, serverName, software }: Front): Promise<[string, RecordedServer]> {
  const exchange = await federation.exchange(({ target }) => target.startsWith('/_matrix/key/v2/server'));
  return [serverName, { software, key_object: exchange.responseBody }];
}

const MESSAGE = ['-t', QUESTION.type, '-d', JSON.stringify(QUESTION.content)];
