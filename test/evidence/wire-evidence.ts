/** What was recorded on the wire, and whether it is what it is shown as. */
import { verifyServerKeys } from '../../src/federation/server-keys.js';
import { isServerUser, parseUserId, serverNameOf } from '../../src/ids/user-id.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { canonicalJson } from '../../src/wire/canonical-json.js';
import { parseJson } from '../../src/wire/json.js';
import { parseXMatrix, requestSigningText } from '../../src/wire/x-matrix.js';
import { shapeFaults, SHAPES, type Shape } from './shapes.js';

/** The content of `docs/evidence/wire-shapes.json`. */
export interface WireEvidence {
  /** When it was recorded, ISO 8601. */
  readonly recorded_at: string;
  /** Program → version. */
  readonly versions: Readonly<Record<string, string>>;
  /** Server name → what it is. */
  readonly servers: Readonly<Record<string, RecordedServer>>;
  readonly runs: readonly Run[];
}

export interface RecordedServer {
  readonly software: string;
  /** What it answered to `GET /_matrix/key/v2/server`: with it, everybody can check its signatures. */
  readonly key_object: string;
}

/** A question of a client to a server, and the way of its answer; or what a server says unasked. */
export interface Run {
  readonly title: string;
  readonly command: string;
  readonly is_asked: boolean;
  /** The server of the client. */
  readonly from: string;
  /** The server that is asked, or that speaks. */
  readonly to: string;
  readonly seen: readonly Sighting[];
}

export interface Sighting {
  readonly shape: Shape;
  /** Between whom, and how it was come by. */
  readonly where: string;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Those that say who speaks; access tokens are struck out. */
  readonly headers: Readonly<Record<string, string>>;
  readonly status: number;
  /** The body in which the shape was seen, to the byte. */
  readonly body: string;
  /** JSON Pointer to the shape in the body. */
  readonly at: string;
}

/** What every run asks, and what it is answered. */
export const QUESTION = { type: 'org.example.whatever', content: { example_content: 'value' } } as const;

/** The JSON of the shape. */
export function shapeOf({ body, at }: Sighting): unknown {
  return at
    .split('/')
    .slice(1)
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], JSON.parse(body));
}

/** Everything in the evidence that is not as it should be, a line each; empty for good evidence. */
export async function evidenceFaults(evidence: WireEvidence): Promise<string[]> {
  const faults: string[] = [];
  for (const run of evidence.runs) {
    for (const fault of await runFaults(run, evidence)) faults.push(`${run.title}: ${fault}`);
  }
  for (const shape of SHAPES) {
    const seen = evidence.runs.filter((run) => run.seen.some((sighting) => sighting.shape === shape));
    if (seen.length === 0) faults.push(`${shape} was never seen`);
  }
  if (/access_token|Bearer (?!\*\*\*)|password/.test(JSON.stringify(evidence))) {
    faults.push('a secret is not struck out');
  }
  return faults;
}

async function runFaults(run: Run, evidence: WireEvidence): Promise<string[]> {
  const seen = run.seen.map(({ shape }) => shape);
  const faults = wantedOf(run).every((shape) => seen.includes(shape))
    ? []
    : [`only ${seen.join(', ')} was seen`];
  for (const sighting of run.seen) {
    for (const fault of await sightingFaults(sighting, run, evidence)) {
      faults.push(`${sighting.shape}: ${fault}`);
    }
  }
  return faults;
}

function wantedOf({ is_asked: isAsked, from, to }: Run): readonly Shape[] {
  if (!isAsked) return ['edu-from-server', 'sync-event'];
  return from === to ? ['client-request', 'sync-event'] : SHAPES;
}

async function sightingFaults(sighting: Sighting, run: Run, evidence: WireEvidence): Promise<string[]> {
  const { shape, status, method, target } = sighting;
  const value = shapeOf(sighting);
  const faults = shapeFaults(shape, value);
  if (faults.length > 0) return faults;
  if (status !== 200) faults.push(`it was answered ${String(status)}`);
  if (!ENDPOINTS[shape].test(`${method} ${target}`)) faults.push(`${method} ${target} is the wrong endpoint`);
  switch (shape) {
    case 'client-request':
      return [...faults, ...contentFaults((value as ClientRequest).messages, run.to)];
    case 'sync-event':
      return [...faults, ...eventFaults(value as Event, run.to)];
    case 'edu-to-server':
    case 'edu-from-server':
      return [...faults, ...(await eduFaults(value as Edu, sighting, run, evidence))];
  }
}

interface ClientRequest {
  readonly messages: Messages;
}

interface Event {
  readonly sender: string;
  readonly type: string;
  readonly content: unknown;
}

interface Edu {
  readonly content: { readonly sender: string; readonly type: string; readonly messages: Messages };
}

type Messages = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

function contentFaults(messages: Messages, serverName: string): string[] {
  const [[userId = '', devices = {}] = []] = Object.entries(messages);
  const faults = [];
  if (serverNameOf(parseUserId(userId)) !== serverName) faults.push(`${userId} is not on ${serverName}`);
  if (!isQuestion(Object.values(devices)[0])) faults.push('the content is not what was asked');
  return faults;
}

function eventFaults({ sender, type, content }: Event, serverName: string): string[] {
  const faults = [];
  if (sender !== `@:${serverName}`) faults.push(`${sender} is not the server user of ${serverName}`);
  if (type !== QUESTION.type || !isQuestion(content)) faults.push('it is not what was asked');
  return faults;
}

/** Both EDUs of a run: the answer goes the way of the question, back. */
async function eduFaults(
  { content }: Edu,
  sighting: Sighting,
  run: Run,
  evidence: WireEvidence,
): Promise<string[]> {
  const isAnswer = isServerUser(parseUserId(content.sender));
  const [origin, destination] = isAnswer ? [run.to, run.from] : [run.from, run.to];
  const faults = contentFaults(content.messages, destination);
  if (content.type !== QUESTION.type) faults.push(`it is of type ${content.type}`);
  if (serverNameOf(parseUserId(content.sender)) !== origin)
    faults.push(`${content.sender} is not on ${origin}`);
  if (canonicalJson(parseJson(sighting.body)) !== sighting.body) faults.push('the body is not canonical');
  return [...faults, ...(await signatureFaults(sighting, { origin, destination }, evidence))];
}

/** Is the transaction signed by its origin, with a key that the origin has published? */
async function signatureFaults(
  { method, target: uri, headers, body }: Sighting,
  route: { readonly origin: string; readonly destination: string },
  { servers, recorded_at: recordedAt }: WireEvidence,
): Promise<string[]> {
  const header = parseXMatrix(headers['authorization'] ?? '');
  if (header === undefined) return ['there is no X-Matrix header'];
  if (header.origin !== route.origin || header.destination !== route.destination) {
    return [`the header is of ${header.origin} for ${header.destination ?? 'nobody'}`];
  }
  const object = parseJson(servers[route.origin]?.key_object ?? '{}');
  const keys = await verifyServerKeys(object, parseServerName(route.origin), Date.parse(recordedAt));
  if ('fault' in keys) return [keys.fault];
  const text = requestSigningText({ method, uri, ...route, content: parseJson(body) });
  const isGood = await keys.verifyKeys.get(header.keyId)?.verify(text, header.signature);
  return isGood === true ? [] : ['the signature is bad'];
}

function isQuestion(content: unknown): boolean {
  return JSON.stringify(content) === JSON.stringify(QUESTION.content);
}

const TYPE = QUESTION.type.replaceAll('.', '\\.');
const ENDPOINTS: Readonly<Record<Shape, RegExp>> = {
  'client-request': new RegExp(`^PUT /_matrix/client/v3/sendToDevice/${TYPE}/[^/?]+$`),
  'edu-to-server': /^PUT \/_matrix\/federation\/v1\/send\/[^/?]+$/,
  'edu-from-server': /^PUT \/_matrix\/federation\/v1\/send\/[^/?]+$/,
  'sync-event': /^GET \/_matrix\/client\/v3\/sync\?/,
};
