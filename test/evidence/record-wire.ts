/** Records how the four shapes of the proposal go over the wire, in runs of the real programs on loopback. */
import { VERSION } from '../../src/version.js';
import type { Session } from '../interop/kit/matrix.js';
import { SYNAPSE_VERSION } from '../interop/kit/python.js';
import { startRecorder, type Exchange, type Recorder } from '../interop/kit/recorder.js';
import { startResponder } from '../interop/kit/responder.js';
import { environmentOf, ServeHost, VERIFYING } from '../interop/kit/serve.js';
import { loginServerUser, loginUser, registerUser, startSynapse } from '../interop/kit/synapse.js';
import { runBinary } from '../kit/binary.js';
import type { Shape } from './shapes.js';
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
  readonly ports: { readonly one: number; readonly two: number; readonly synapse: number };
}

/**
 * Starts two `mx2s serve` and a Synapse, each behind recorders; lets `mx2s request` ask its own server and others, all
 * of which echo; and keeps what was seen. Everything that it starts it ends.
 */
export async function recordWire({ python, ports }: RecordOptions): Promise<WireEvidence> {
  const stage = new Stage();
  try {
    const host = stage.add(await ServeHost.open(), (opened) => opened.close());
    const one = await openServe(stage, host, ports.one);
    const two = await openServe(stage, host, ports.two);
    const synapse = await openSynapse(stage, python, ports.synapse);
    const runs = [
      await ask(host, one, one, 'A client asks its own server'),
      await ask(host, one, two, 'A client asks another server'),
      await ask(host, synapse, two, 'A client of Synapse asks mx2s serve'),
      await ask(host, one, synapse, 'A client of mx2s serve asks Synapse'),
    ];
    const servers = await Promise.all([one, two, synapse].map(recordServer));
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

/** A server behind recorders, and a user there. */
interface Party {
  readonly software: string;
  /** Where its federation recorder is. */
  readonly serverName: string;
  readonly serverUser: string;
  readonly federation: Recorder;
  readonly client: Recorder;
  /** As its own clients reach it: past the recorder. */
  readonly alice: Session;
}

async function openServe(stage: Stage, host: ServeHost, port: number): Promise<Party> {
  const front = await openFront(stage, port);
  const { alice, federationUrl } = await host.start(
    ...VERIFYING,
    ...['--server-name', front.serverName, '--on', 'org.example.*=echo'],
  );
  front.federation.forwardTo(federationUrl);
  front.client.forwardTo(alice.baseUrl);
  return { ...front, software: 'mx2s serve', alice };
}

async function openSynapse(stage: Stage, python: string, port: number): Promise<Party> {
  const front = await openFront(stage, port);
  const started = await startSynapse(python, { serverName: front.serverName });
  const { address } = stage.add(started, (synapse) => synapse.stop());
  front.federation.forwardTo(`https://127.0.0.1:${String(address.federationPort)}`);
  front.client.forwardTo(address.baseUrl);
  await registerUser(address, 'alice', 'a password');
  stage.add(startResponder(await loginServerUser(address), echo), (responder) => responder.stop());
  return { ...front, software: 'Synapse', alice: await loginUser(address, 'alice', 'a password') };
}

async function openFront(stage: Stage, port: number) {
  const end = (recorder: Recorder) => recorder.stop();
  const federation = stage.add(await startRecorder({ tls: true, port }), end);
  const client = stage.add(await startRecorder({ tls: false }), end);
  const serverName = `localhost:${String(federation.port)}`;
  return { serverName, serverUser: `@:${serverName}`, federation, client };
}

function echo({ type, content }: { type: string; content: Record<string, unknown> }) {
  return { type, content };
}

/** Runs `mx2s request` for alice of `from`, and collects what the recorders have seen of it. */
async function ask(host: ServeHost, from: Party, to: Party, title: string): Promise<Run> {
  const { type, content } = QUESTION;
  const args = ['request', to.serverUser, '-t', type, '-d', JSON.stringify(content), '--timeout', '30s'];
  const client = { ...from.alice, baseUrl: `http://127.0.0.1:${String(from.client.port)}` };
  const { code, stderr } = await runBinary(args, { home: host.folder, env: environmentOf(client) });
  if (code !== 0) throw new Error(`mx2s ${args.join(' ')} ended with ${String(code)}: ${stderr}`);

  const alice = from.alice.userId;
  const [program, own, other] = ['mx2s', nameOf(from), nameOf(to)];
  const isForServer = ({ messages }: Found) => messages?.[to.serverUser] !== undefined;
  const seen = [await sight(from.client, 'client-request', `${program} to ${own}`, isForServer)];
  if (from !== to) {
    seen.push(
      await sight(
        to.federation,
        'edu-to-server',
        `${own} to ${other}`,
        (edu) => edu.content?.sender === alice && isForServer(edu.content),
      ),
      await sight(
        from.federation,
        'edu-from-server',
        `${other} to ${own}`,
        (edu) => edu.content?.sender === to.serverUser && edu.content.messages?.[alice] !== undefined,
      ),
    );
  }
  const isAnswer = ({ sender }: Found) => sender === to.serverUser;
  seen.push(await sight(from.client, 'sync-event', `${own} to ${program}`, isAnswer));
  return {
    title,
    command: `mx2s request ${to.serverUser} -t ${type} -d '${JSON.stringify(content)}'`,
    from: from.serverName,
    to: to.serverName,
    seen,
  };
}

function nameOf({ software, serverName }: Party): string {
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

async function recordServer({ federation, serverName, software }: Party): Promise<[string, RecordedServer]> {
  const exchange = await federation.exchange(({ target }) => target.startsWith('/_matrix/key/v2/server'));
  return [serverName, { software, key_object: exchange.responseBody }];
}

/** What was started, to be ended in reverse order. */
class Stage {
  readonly #ends: (() => Promise<unknown>)[] = [];

  add<Started>(started: Started, end: (started: Started) => Promise<unknown>): Started {
    this.#ends.unshift(() => end(started));
    return started;
  }

  async close(): Promise<void> {
    for (const end of this.#ends) await end();
  }
}
