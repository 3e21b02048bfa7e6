/** `nats://HOST/SUBJECT`: hands the message to a service on a NATS server. */
import { InvalidInputError } from '../errors.js';
import { encodeServerMessage, parseAnswers, type Handler } from './handler.js';
import { parseServiceUrl } from './service-url.js';

/** Where a service listens. */
export interface NatsService {
  readonly host: string;
  readonly port: number;
  /** Without wildcards: requests go to one subject. */
  readonly subject: string;
}

/**
 * Sends a request to a service, and gives the text of its reply; whoever opens the server says how.
 * @throws UnreachableError when the server or the service is not there; Error saying why there is no reply
 */
export type NatsRequest = (service: NatsService, text: string) => Promise<string>;

/**
 * Reads `nats://HOST[:PORT]/SUBJECT`. What a URL cannot hold of a subject is percent-encoded.
 * @throws UsageError for a URL with user information, InvalidInputError
 */
export function parseNatsUrl(text: string): NatsService {
  const { hostname, port, pathname, search, hash } = parseServiceUrl(text);
  const subject = percentDecoded(pathname.slice(1));
  const isSubject = subject !== undefined && subject.split('.').every(isToken);
  if (hostname === '' || !isSubject || search !== '' || hash !== '') {
    throw new InvalidInputError(`--on: '${text}' names no subject of a NATS server`, {
      at: '--on',
      hint: 'write it like nats://localhost/matrix.reports, without wildcards',
    });
  }
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return { host, port: port === '' ? DEFAULT_PORT : Number(port), subject };
}

/** The URL of a service, which `parseNatsUrl` reads. */
export function renderNatsUrl({ host, port, subject }: NatsService): string {
  return `nats://${natsServer(host, port)}/${encodeURIComponent(subject)}`;
}

/** `HOST:PORT` of a server. */
export function natsServer(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Sends the message as JSON. A reply that `parseAnswers` takes is the answer, an empty one is none. */
export function createNats(service: NatsService, request: NatsRequest): Handler {
  return async (message) => {
    const reply = await request(service, encodeServerMessage(message));
    return reply.trim() === '' ? undefined : parseAnswers(reply, message);
  };
}

/** A part of a subject; `*` and `>` are wildcards, white space ends a subject on the wire. */
function isToken(token: string): boolean {
  return /^[^\s\p{Cc}]+$/u.test(token) && token !== '*' && token !== '>';
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

const DEFAULT_PORT = 4222;
