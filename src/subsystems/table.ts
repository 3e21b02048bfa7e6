/** The handler table: which handler takes which type, as written on the command line. */
import type { Clock } from '../clock.js';
import { InvalidInputError, UsageError } from '../errors.js';
import type { ServerName } from '../ids/server-name.js';
import { compileGlob } from '../todevice/glob.js';
import { withoutSecrets } from '../typed-text.js';
import { JsonSyntaxError, encodeJson, parseJson, type JsonText } from '../wire/json.js';
import { echo } from './echo.js';
import { createExec } from './exec.js';
import type { Handler } from './handler.js';
import { createNats, parseNatsUrl, renderNatsUrl, type NatsRequest, type NatsService } from './nats.js';
import { PING_TYPE, createPing } from './ping.js';
import { createReply } from './reply.js';
import { parseServiceUrl } from './service-url.js';
import { VALIDATORS, parseValidator, type ValidatorName } from './validators.js';
import { createWebhook, type Exchange } from './webhook.js';

/** One `--on 'GLOB=HANDLER'`. */
export interface HandlerRule {
  /** Over event types; see `compileGlob`. */
  readonly glob: string;
  /** As written on the command line, or a function of the program that embeds the server. */
  readonly handler: HandlerSpec | Handler;
}

export type HandlerSpec =
  | { readonly kind: 'echo' | 'drop' }
  | { readonly kind: 'reply'; readonly content: JsonText }
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'validate'; readonly validator: ValidatorName }
  | { readonly kind: 'webhook'; readonly url: string }
  | { readonly kind: 'nats'; readonly service: NatsService };

/** What handlers need from outside. */
export interface HandlerTools {
  readonly server: ServerName;
  readonly clock: Clock;
  /** The environment of `exec:` commands. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For web services. */
  readonly exchange: Exchange;
  /** For services on NATS. */
  readonly natsRequest: NatsRequest;
}

/**
 * Reads one rule. The first `=` ends the glob.
 * @throws UsageError, InvalidInputError
 */
export function parseHandlerRule(text: string): HandlerRule {
  const equals = text.indexOf('=');
  if (equals < 1) {
    throw new UsageError(`--on: '${withoutSecrets(text)}' is not GLOB=HANDLER`, {
      hint: `for example --on 'org.example.*=echo'`,
    });
  }
  return { glob: text.slice(0, equals), handler: parseHandler(text.slice(equals + 1)) };
}

/**
 * The handler for each type: the first rule that matches wins, `mx2s.ping` is built in below them all, and no
 * match drops, as does the handler `drop`.
 */
export function openTable(
  rules: readonly HandlerRule[],
  tools: HandlerTools,
): (type: string) => Handler | undefined {
  const entries = [
    ...rules.map(({ glob, handler }) => ({
      matches: compileGlob(glob),
      handler: openHandler(handler, tools),
    })),
    { matches: compileGlob(PING_TYPE), handler: createPing(tools.server, tools.clock) },
  ];
  return (type) => entries.find(({ matches }) => matches(type))?.handler;
}

/** What a member of a queue group does: it takes the messages of services, and hands them to its own handlers. */
export interface QueueRules {
  readonly services: readonly NatsService[];
  readonly rules: readonly HandlerRule[];
}

/**
 * The part of a table that a member of a queue group plays. It takes part in the service of a `nats://` rule when a
 * rule below has the same glob and is none: that one is the handler of what comes from there. So one table serves
 * those who hand messages over and those who take them, and nobody takes what is meant for services of others.
 */
export function queueRulesOf(table: readonly HandlerRule[]): QueueRules {
  const services = new Map<string, NatsService>();
  for (const [index, rule] of table.entries()) {
    const service = natsServiceOf(rule);
    const isHandledHere = table
      .slice(index + 1)
      .some((below) => below.glob === rule.glob && natsServiceOf(below) === undefined);
    if (service !== undefined && isHandledHere) services.set(renderNatsUrl(service), service);
  }
  return {
    services: [...services.values()],
    rules: table.filter((rule) => natsServiceOf(rule) === undefined),
  };
}

/** The service on NATS that a rule hands messages to; undefined for any other handler. */
export function natsServiceOf({ handler }: HandlerRule): NatsService | undefined {
  return typeof handler !== 'function' && handler.kind === 'nats' ? handler.service : undefined;
}

function parseHandler(text: string): HandlerSpec {
  if (text === 'echo' || text === 'drop') return { kind: text };
  if (text.startsWith('reply:')) return { kind: 'reply', content: parseContent(text.slice('reply:'.length)) };
  if (/^exec:./s.test(text)) return { kind: 'exec', command: text.slice('exec:'.length) };
  if (text.startsWith('validate:')) {
    return { kind: 'validate', validator: parseValidator(text.slice('validate:'.length)) };
  }
  if (/^https?:/.test(text)) return { kind: 'webhook', url: parseServiceUrl(text).href };
  if (text.startsWith('nats:')) return { kind: 'nats', service: parseNatsUrl(text) };
  throw new UsageError(`--on: '${withoutSecrets(text)}' is no handler`, {
    hint: 'a handler is echo, drop, reply:JSON, exec:COMMAND, validate:mls, validate:report, or an http://, https:// or nats:// URL',
  });
}

function parseContent(text: string): JsonText {
  try {
    const content = parseJson(text);
    if (content.kind === 'object') return encodeJson(content);
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
    throw new InvalidInputError(`--on reply: not JSON: ${error.message} at character ${error.offset + 1}`, {
      at: '--on',
      cause: error,
    });
  }
  throw new InvalidInputError('--on reply: the content is no JSON object', { at: '--on' });
}

function openHandler(spec: HandlerSpec | Handler, tools: HandlerTools): Handler | undefined {
  if (typeof spec === 'function') return spec;
  switch (spec.kind) {
    case 'drop':
      return undefined;
    case 'echo':
      return echo;
    case 'reply':
      return createReply(spec.content);
    case 'exec':
      return createExec(spec.command, tools.env);
    case 'webhook':
      return createWebhook(spec.url, tools.exchange);
    case 'nats':
      return createNats(spec.service, tools.natsRequest);
    case 'validate':
      return VALIDATORS[spec.validator];
  }
}
