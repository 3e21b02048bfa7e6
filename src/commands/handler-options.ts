/** The flags that say who handles the messages to a server, and how. Pure. */
import type { Command } from 'commander';
import { parseDurationMs, parseRatePerSecond } from '../duration.js';
import { InvalidInputError, UsageError } from '../errors.js';
import { natsServiceOf, parseHandlerRule, type HandlerRule } from '../subsystems/table.js';
import { collect, type Flags } from './define.js';
import { parseCount } from './globals.js';

export interface HandlerOptions {
  readonly handlers: readonly HandlerRule[];
  readonly handlerTimeoutMs: number;
  readonly handlerConcurrency: number;
  readonly rateLimitPerSecond: number | undefined;
  readonly natsCredsFile: string | undefined;
}

/** @param rateLimit what `--rate-limit` is good for */
export function addHandlerFlags(command: Command, rateLimit: string): void {
  command
    .option('--on <glob=handler>', 'hand messages of a type to a handler; may be repeated', collect)
    .option('--handler-timeout <duration>', 'how long a handler may take', '30s')
    .option('--handler-concurrency <n>', 'how many messages each handler may work on at a time', '16')
    .option('--nats-creds <file>', 'the credentials file for nats:// handlers')
    .option('--rate-limit <n/s>', rateLimit);
}

/** @throws UsageError, InvalidInputError */
export function parseHandlerOptions(flags: Flags): HandlerOptions {
  const handlers = flags.texts('on').map(parseHandlerRule);
  const natsCredsFile = flags.text('natsCreds');
  if (natsCredsFile !== undefined && handlers.every((rule) => natsServiceOf(rule) === undefined)) {
    throw new UsageError('--nats-creds goes with a nats:// handler', {
      hint: `for example --on 'org.example.*=nats://localhost/matrix.example'`,
    });
  }
  const rateLimit = flags.text('rateLimit');
  return {
    handlers,
    handlerTimeoutMs: parseHandlerTimeoutMs(flags.text('handlerTimeout') ?? '30s'),
    handlerConcurrency: parseCount(flags.text('handlerConcurrency') ?? '16', '--handler-concurrency', 1),
    rateLimitPerSecond: rateLimit === undefined ? undefined : parseRatePerSecond(rateLimit, '--rate-limit'),
    natsCredsFile,
  };
}

function parseHandlerTimeoutMs(text: string): number {
  const timeoutMs = parseDurationMs(text, '--handler-timeout');
  if (timeoutMs > 0) return timeoutMs;
  throw new InvalidInputError('--handler-timeout: a handler needs some time', { at: '--handler-timeout' });
}
