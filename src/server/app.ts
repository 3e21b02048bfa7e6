/**
 * The HTTP side of the embedded homeserver: turns endpoints into routes, and refusals into answers. Tested
 * through `inject()`; the listening socket is in `listen.ts`.
 */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { IncomingRequest } from '../federation/verify-request.js';
import { isDatabaseError } from '../store/database-error.js';
import type { JsonObject } from '../wire/json.js';
import { bodyText, parseBody, readBody } from './body.js';
import type { Call } from './call.js';
import type { Endpoint } from './endpoint.js';
import { Refusal, encodeRefusal, invalidParam } from './refusal.js';

/** What an app needs of its server, whatever its endpoints need. */
export interface AppHome {
  /** Closed: each answer is the last on its connection. */
  readonly waiters: { readonly closed: boolean };
}

/** Builds an app that serves `endpoints`; it listens nowhere. `onFault` is told of what no refusal explains. */
export async function buildApp<Home extends AppHome>(
  home: Home,
  endpoints: readonly Endpoint<Home>[],
  onFault: (error: unknown) => void,
): Promise<FastifyInstance> {
  const { fastify } = await import('fastify');
  const app = fastify({
    routerOptions: { maxParamLength: MAX_PARAM_CHARACTERS },
    frameworkErrors: (error, _request, reply) => {
      void answerError(reply, error, onFault);
    },
  });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', async (_request: FastifyRequest, body: IncomingMessage) => readBody(body));
  app.addHook('onRequest', (request, reply, next) => {
    if (request.method === 'OPTIONS') {
      void reply.code(204).headers(CORS_HEADERS).send();
      return;
    }
    // whatever the client calls its body, we read it as JSON; the framework would refuse what it does not know
    request.raw.headers['content-type'] = undefined;
    next();
  });
  app.setErrorHandler((error, _request, reply) => answerError(reply, error, onFault));
  app.setNotFoundHandler((_request, reply) => answerError(reply, UNKNOWN_PATH, onFault));
  addRoutes(app, home, endpoints);
  await app.ready();
  return app;
}

/** A known path with a method it has not is 405, not 404 (both APIs v1.19, "Unsupported endpoints"). */
function addRoutes<Home extends AppHome>(
  app: FastifyInstance,
  home: Home,
  endpoints: readonly Endpoint<Home>[],
): void {
  const methodsOf = new Map<string, Set<string>>();
  for (const endpoint of endpoints) {
    for (const url of endpoint.paths) {
      const { method } = endpoint;
      methodsOf.set(url, (methodsOf.get(url) ?? new Set()).add(method));
      app.route({
        method,
        url,
        handler: async (request, reply) => {
          const body = await endpoint.answer(home, new WebCall(request, reply));
          if (home.waiters.closed) reply.header('connection', 'close');
          return reply.headers(JSON_HEADERS).send(body);
        },
      });
    }
  }
  for (const [url, methods] of methodsOf) {
    if (methods.has('GET')) methods.add('HEAD'); // the framework answers it
    const others = METHODS.filter((method) => !methods.has(method));
    app.route({
      method: others,
      url,
      handler: async () => {
        throw WRONG_METHOD;
      },
    });
  }
}

/**
 * A class on purpose: as an object of its own for each request, with a getter in it, it has a shape of its own, too, and
 * V8 keeps shapes, and with them whole requests, until several collections later.
 */
class WebCall implements Call {
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;

  constructor(request: FastifyRequest, reply: FastifyReply) {
    this.#request = request;
    this.#reply = reply;
  }

  get path(): string {
    return this.#request.url.split('?', 1)[0] ?? '';
  }

  get host(): string | undefined {
    return this.#request.headers.host;
  }

  get accessToken(): string | undefined {
    return /^Bearer ([^\s]+)$/i.exec(this.#request.headers.authorization ?? '')?.[1];
  }

  param(name: string): string {
    return (this.#request.params as Record<string, string>)[name] ?? '';
  }

  query(name: string): string | undefined {
    const value = (this.#request.query as Record<string, string | string[] | undefined>)[name];
    return Array.isArray(value) ? value[0] : value;
  }

  body(): JsonObject {
    return parseBody(this.#request.body as Buffer | undefined);
  }

  incoming(): IncomingRequest {
    const { method, raw, body } = this.#request;
    return {
      method,
      uri: raw.url ?? '',
      authorization: headerValues(raw.rawHeaders, 'authorization'),
      body: bodyText(body as Buffer | undefined),
    };
  }

  get signal(): AbortSignal {
    return goneSignal(this.#reply);
  }
}

/** Every header of that name; Node itself keeps only the first of some. `raw` holds names and values in turn. */
function headerValues(raw: readonly string[], name: string): string[] {
  return raw.filter((_value, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === name);
}

/** Aborts when the response is closed: answered, or its client gone. */
function goneSignal({ raw }: FastifyReply): AbortSignal {
  if (raw.closed) return AbortSignal.abort(CLOSED);
  const gone = new AbortController();
  raw.once('close', () => gone.abort(CLOSED));
  return gone.signal;
}

function answerError(reply: FastifyReply, error: unknown, onFault: (error: unknown) => void): FastifyReply {
  const refusal = refusalOf(error, onFault);
  return reply
    .code(refusal.status)
    .headers({ ...JSON_HEADERS, ...refusal.headers })
    .send(encodeRefusal(refusal));
}

function refusalOf(error: unknown, onFault: (error: unknown) => void): Refusal {
  if (error instanceof Refusal) return error;
  switch ((error as { code?: unknown }).code) {
    case 'ECONNRESET': // the client went away; nobody reads this
      return new Refusal(400, 'M_NOT_JSON', 'the body is not as long as its Content-Length');
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return invalidParam('the path is badly encoded or too long');
    default:
      onFault(error);
      return isDatabaseError(error) ? DATA_FAILED : new Refusal(500, 'M_UNKNOWN', 'the server failed');
  }
}

/** Made once: an abort without a reason makes an error, with its stack, for every request. */
const CLOSED = new Error('the response is closed');
const MAX_PARAM_CHARACTERS = 8192;
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;
const UNKNOWN_PATH = new Refusal(404, 'M_UNRECOGNIZED', 'unknown endpoint');
const WRONG_METHOD = new Refusal(405, 'M_UNRECOGNIZED', 'this endpoint does not know this method');
/** It may work again, so clients and other servers come again; what is wrong with the disk is not for them. */
const DATA_FAILED = new Refusal(503, 'M_UNKNOWN', 'the server cannot use its data now');
/** Client-Server API v1.19, "Web Browser Clients". */
const CORS_HEADERS = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
  'access-control-allow-headers': 'X-Requested-With, Content-Type, Authorization',
};
const JSON_HEADERS = { ...CORS_HEADERS, 'content-type': 'application/json' };
