/**
 * The one door to NATS: a connection to each server that a handler names, opened when it is first needed.
 *
 * A connection that was lost is not waited for: requests fail until a new one can be made, and each of them tries.
 * So a server that is away holds nothing up, nothing is sent late, and it works again as soon as it is back.
 */
import { connect as connectTcp, type TcpNetConnectOpts } from 'node:net';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { InvalidInputError } from '../errors.js';
import { UnreachableError } from './handler.js';
import { natsServer, renderNatsUrl, type NatsRequest, type NatsService } from './nats.js';

declare const credentialsBrand: unique symbol;
/** The text of a credentials file: a JWT and the seed that signs for it. Made by `parseNatsCredentials`. */
export type NatsCredentials = string & { readonly [credentialsBrand]: true };

export interface NatsOptions {
  /** For every server; without it none is told who we are. */
  readonly credentials?: NatsCredentials | undefined;
  /** How long a reply may take. */
  readonly timeoutMs: number;
  /** How long a server may take to say something at all; default 5 s. */
  readonly connectTimeoutMs?: number | undefined;
}

/** What a request is answered with. */
export interface NatsReply {
  readonly text: string;
  /** Why the request failed; the text then counts for nothing. */
  readonly fault?: string | undefined;
}

/** A place in a queue group: each request goes to one of its members. */
export interface NatsMembership {
  /** Resolves when no more requests come, with the reason. */
  readonly over: Promise<string>;
  /** Takes no more requests, and resolves when those that were taken have their replies. */
  leave(): Promise<void>;
}

export interface Nats {
  readonly request: NatsRequest;
  /**
   * Becomes a member of a queue group, which answers the requests to a service.
   *
   * @param reply must not reject
   * @throws Error saying why that is not possible
   */
  join(
    service: NatsService,
    queue: string,
    reply: (text: string) => Promise<NatsReply>,
  ): Promise<NatsMembership>;
  /** Ends requests and connections, and takes no more of them. */
  close(): Promise<void>;
}

/**
 * Reads a credentials file's text, as `nsc` writes it.
 * @throws InvalidInputError, which never shows what is in the file
 */
export function parseNatsCredentials(text: string, file: string): NatsCredentials {
  const lines = text.replaceAll('\r\n', '\n'); // the package reads no others
  if (BLOCKS.every((block) => block.test(lines))) return lines as NatsCredentials;
  throw new InvalidInputError(`${file} holds no NATS credentials`, {
    at: '--nats-creds',
    hint: 'it holds a JWT and a seed, each between lines of dashes, as nsc writes them',
  });
}

/**
 * Opens no connection yet. Where the server speaks TLS so do we, and its certificate has to be one that Node
 * trusts (`NODE_EXTRA_CA_CERTS` adds some).
 */
export function openNats(options: NatsOptions): Nats {
  const { credentials, timeoutMs, connectTimeoutMs = CONNECT_TIMEOUT_MS } = options;
  const connections = new Map<string, Promise<NatsConnection>>();
  const closing = new AbortController();

  async function open(host: string, port: number, server: string): Promise<NatsConnection> {
    try {
      await untilItSpeaks({ host, port, timeout: connectTimeoutMs }, closing.signal);
      const { connect, credsAuthenticator } = await import('@nats-io/transport-node');
      return await connect({
        servers: server,
        name: 'mx2s',
        reconnect: false,
        timeout: connectTimeoutMs,
        pingInterval: PING_INTERVAL_MS,
        ...(credentials === undefined
          ? {}
          : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
      });
    } catch (error) {
      throw new Error(`cannot connect to NATS at ${server}: ${wordsOf(error)}`, { cause: error });
    }
  }

  /** One attempt at a time for each server: who comes meanwhile shares its end. */
  function connectionTo(host: string, port: number): Promise<NatsConnection> {
    const server = natsServer(host, port);
    const known = connections.get(server);
    if (known !== undefined) return known;
    const opening = open(host, port, server);
    connections.set(server, opening);
    const forget = (): boolean => connections.delete(server);
    opening.then((connection) => connection.closed().then(forget), forget);
    return opening;
  }

  return {
    async request(service, text) {
      const { host, port, subject } = service;
      if (closing.signal.aborted) throw new Error('the server stops');
      const connection = await connectionTo(host, port).catch((cause: unknown) => {
        throw new UnreachableError(renderNatsUrl(service), wordsOf(cause), { cause });
      });
      const reply = await connection
        .request(subject, text, { timeout: timeoutMs })
        .catch(async (cause: unknown) => {
          const why = `no reply from ${subject} on NATS: ${wordsOf(cause)}`;
          throw (await isUnheard(cause))
            ? new UnreachableError(renderNatsUrl(service), why, { cause })
            : new Error(why, { cause });
        });
      const fault = [FAULT, FAULT_CODE].map((name) => reply.headers?.get(name)).find(Boolean);
      if (fault !== undefined) throw new Error(`${subject} on NATS says: ${fault}`);
      return decode(reply.data);
    },
    async join({ host, port, subject }, queue, reply) {
      if (closing.signal.aborted) throw new Error('the server stops');
      return joinQueue(await connectionTo(host, port), subject, queue, reply);
    },
    async close() {
      closing.abort();
      const opened = await Promise.allSettled(connections.values());
      for (const each of opened) if (each.status === 'fulfilled') await each.value.close();
    },
  };
}

/** Does a failure say that nobody has subscribed to the subject? */
async function isUnheard(error: unknown): Promise<boolean> {
  const { errors } = await import('@nats-io/transport-node');
  if (error instanceof errors.RequestError) return error.isNoResponders();
  return error instanceof errors.NoRespondersError;
}

async function joinQueue(
  connection: NatsConnection,
  subject: string,
  queue: string,
  reply: (text: string) => Promise<NatsReply>,
): Promise<NatsMembership> {
  const { headers } = await import('@nats-io/transport-node');
  const refuse = (message: Msg, fault: string): void => {
    const told = headers();
    told.set(FAULT_CODE, '500');
    told.set(FAULT, fault.replace(/\p{Cc}+/gu, ' '));
    message.respond('', { headers: told });
  };
  const answer = async (message: Msg): Promise<void> => {
    try {
      const { text, fault } = await reply(decode(message.data));
      if (fault === undefined) message.respond(text);
      else refuse(message, fault);
    } catch (error) {
      refuse(message, wordsOf(error)); // it is no text, or the reply is too long
    }
  };
  const atWork = new Set<Promise<void>>();
  let ended: string | undefined;
  let tell: (why: string) => void = () => undefined;
  const over = new Promise<string>((resolve) => (tell = resolve));
  const end = (why: string): void => tell((ended = why));
  const subscription = connection.subscribe(subject, {
    queue,
    callback: (error, message) => {
      if (error !== null) {
        end(wordsOf(error));
        return;
      }
      const job = answer(message).catch(() => undefined); // who asked gets no reply, and asks again
      atWork.add(job);
      void job.finally(() => atWork.delete(job));
    },
  });
  void connection.closed().then((error) => end(wordsOf(error ?? 'the connection was closed')));
  await connection.flush();
  if (ended !== undefined) throw new Error(`cannot subscribe to ${subject} on NATS: ${ended}`); // it may be forbidden
  return {
    over,
    async leave() {
      await subscription.drain().catch(() => undefined); // the connection may be lost
      await Promise.all(atWork);
      await connection.flush().catch(() => undefined);
    },
  };
}

/**
 * Resolves when the server has said something, as a NATS server does before all else. The package cannot be left
 * to find out: it gives up a server that takes connections and is silent, but keeps the socket, for ever.
 */
async function untilItSpeaks(
  to: TcpNetConnectOpts & { readonly timeout: number },
  signal: AbortSignal,
): Promise<void> {
  const socket = connectTcp(to);
  const onAbort = (): void => void socket.destroy(signal.reason as Error);
  // not as an option of the socket: Node 20 never lets go of a signal whose socket has failed
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('data', () => resolve());
      socket.once('error', reject);
      socket.once('timeout', () => reject(new Error(`it said nothing within ${to.timeout} ms`)));
      socket.once('end', () => reject(new Error('it hung up')));
    });
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

/** @throws TypeError for what is no UTF-8 */
function decode(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

/** With several addresses for one name, Node gives one error that holds one for each, and has no words of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError) return wordsOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

const BLOCKS = [/^-+BEGIN NATS USER JWT-+\n\S/m, /^-+BEGIN USER NKEY SEED-+\n\S/m];
const CONNECT_TIMEOUT_MS = 5000;
/** A server that is gone without a word is noticed after three of these. */
const PING_INTERVAL_MS = 20_000;
/** Of services made with NATS's own frameworks: a reply with one of them says that the request failed. */
const FAULT = 'Nats-Service-Error';
const FAULT_CODE = 'Nats-Service-Error-Code';
