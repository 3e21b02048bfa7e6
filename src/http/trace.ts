/**
 * The wire log: what went out and what came back, one line at a time, with every secret struck out.
 *
 * Secrets are known by where they stand (headers, members, parameters) and, once seen there, wherever else they
 * turn up. The lines hold text of the server as it came; who shows them escapes them.
 */
import { encodeJson, parseJson, type JsonNode } from '../wire/json.js';
import type { Answer, HttpRequest } from './request.js';

export interface Trace {
  request(request: HttpRequest, headers: Readonly<Record<string, string>>): void;
  answer(answer: Answer): void;
  failure(error: unknown): void;
}

/** Opens a log that hands each line to `write`: `>` went out, `<` came in, `*` is ours. */
export function openTrace(write: (line: string) => void): Trace {
  const secrets = new Set<string>();
  const emit = (mark: string, text: string, fullLength = text.length): void => {
    // cut only after secrets were struck: half a token is a secret too
    const line = shortened(strikeSecrets(text, secrets), fullLength);
    for (const each of line.split('\n')) write(`${mark} ${each}`);
  };
  return {
    request(request, headers) {
      const { body = '' } = request;
      for (const secret of [...secretsOf(headers), ...secretsIn(body)]) secrets.add(secret);
      emit('>', `${request.method} ${strikeParameters(request.url)}`);
      for (const [name, value] of Object.entries(headers)) emit('>', requestHeaderLine(name, value));
      if (body !== '') emit('>', strikeBody(body), body.length);
    },
    answer({ status, headers, body }) {
      for (const secret of secretsIn(body)) secrets.add(secret);
      emit('<', String(status));
      for (const [name, value] of Object.entries(headers)) emit('<', answerHeaderLine(name, value));
      if (body !== '') emit('<', strikeBody(body), body.length);
    },
    failure(error) {
      emit('*', error instanceof Error ? error.message : String(error));
    },
  };
}

/** Replaces each of `secrets`, also in its percent-encoded form. Very short ones would tear up the text. */
export function strikeSecrets(text: string, secrets: Iterable<string>): string {
  let struck = text;
  // the longest first: one secret may begin another
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < MIN_SECRET_CHARACTERS) break;
    for (const form of new Set([
      secret,
      encodeURIComponent(secret.toWellFormed()),
      JSON.stringify(secret).slice(1, -1),
    ])) {
      struck = struck.replaceAll(form, STRUCK);
    }
  }
  return struck;
}

/** What a request holds that no message may repeat: its token, and the secret members of its body. */
export function secretsOfRequest({ body, accessToken }: Pick<HttpRequest, 'body' | 'accessToken'>): string[] {
  return [
    ...(body === undefined ? [] : secretsIn(body)),
    ...(accessToken === undefined ? [] : [accessToken]),
  ];
}

/** The strings that stand in secret members of a JSON body, at any depth. */
export function secretsIn(body: string): string[] {
  const root = readTree(body);
  return root === undefined ? [] : secretStrings(root);
}

function secretStrings(node: JsonNode): string[] {
  if (node.kind === 'array') return node.items.flatMap(secretStrings);
  if (node.kind !== 'object') return [];
  return node.members.flatMap(({ key, value }) =>
    isSecretName(key) && value.kind === 'string' ? [value.value] : secretStrings(value),
  );
}

function shortened(text: string, fullLength: number): string {
  if (text.length <= MAX_CHARACTERS) return text;
  return `${text.slice(0, MAX_CHARACTERS)}… (${String(fullLength)} characters in all)`;
}

/** A body that is no JSON, or too long to read twice, is struck by pattern, as far as it may be shown. */
function strikeBody(body: string): string {
  const root = readTree(body);
  if (root !== undefined) return encodeJson(strikeNode(root));
  return strikeParameters(body.slice(0, MAX_TREE_CHARACTERS).replace(SECRET_MEMBER, `$1"${STRUCK}"`));
}

function strikeNode(node: JsonNode): JsonNode {
  if (node.kind === 'array') return { kind: 'array', items: node.items.map(strikeNode) };
  if (node.kind !== 'object') return node;
  return {
    kind: 'object',
    members: node.members.map(({ key, value }) => ({
      key,
      value: isSecretName(key) ? { kind: 'string', value: STRUCK } : strikeNode(value),
    })),
  };
}

function readTree(body: string): JsonNode | undefined {
  if (body.length > MAX_TREE_CHARACTERS) return undefined;
  try {
    return parseJson(body);
  } catch {
    return undefined;
  }
}

/** The values of secret query parameters, also in a URL within a text. */
function strikeParameters(text: string): string {
  return text.replace(SECRET_PARAMETER, `$1${STRUCK}`);
}

/** The token, and what else stands in headers that are named like secrets: whole, and after its scheme. */
function secretsOf(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers)
    .filter(([name]) => /auth|cookie|key|pass|secret|token/.test(name))
    .flatMap(([, value]) => [value, value.replace(/^\S+\s+/, '')]);
}

/** A request's headers may come from the user (`-H`) and hold any secret: only the harmless are shown. */
function requestHeaderLine(name: string, value: string): string {
  if (name === 'authorization' && value.startsWith('Bearer ')) return `${name}: Bearer ${STRUCK}`;
  return `${name}: ${['accept', 'content-type', 'user-agent'].includes(name) ? value : STRUCK}`;
}

function answerHeaderLine(name: string, value: string): string {
  const secret = /^(?:(?:proxy-)?authorization|(?:set-)?cookie2?)$/.test(name);
  return `${name}: ${secret ? STRUCK : strikeParameters(value)}`;
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

const STRUCK = '***';
const NAMES =
  '(?:access|refresh|login|as|hs|id)_?token|token|(?:new_?)?password|client_secret|device_code|code_verifier';
const SECRET_NAME = new RegExp(`^(?:${NAMES})$`, 'i');
const SECRET_MEMBER = new RegExp(
  `("(?:${NAMES})"\\s*:\\s*)(?:"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"?|[^\\s,}\\]]+)`,
  'gi',
);
const SECRET_PARAMETER = new RegExp(`((?:^|[?&;\\s])(?:${NAMES})=)[^&;\\s"'<>]*`, 'gi');
const MIN_SECRET_CHARACTERS = 4;
const MAX_CHARACTERS = 4096;
const MAX_TREE_CHARACTERS = 1024 * 1024;
