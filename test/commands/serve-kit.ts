/** `mx2s serve` in this process, for one test. */
import { onTestFinished } from 'vitest';
import type { Finished, Running, RunSettings } from '../kit/run-cli.js';
import { startCli } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

export interface Ready {
  readonly homeserver: string;
  readonly federation?: string;
  readonly server_name: string;
  readonly users: readonly ReadyUser[];
}

export interface ReadyUser {
  readonly user_id: string;
  readonly device_id: string;
  readonly access_token: string;
  readonly password?: string;
}

export interface Serving extends Running {
  /** Undefined where it was text for people. */
  readonly ready: Ready | undefined;
  stop(): Promise<Finished>;
}

/** Starts `mx2s serve`, waits for its first line, and stops it when the test ends. */
export async function serve(args: readonly string[] = [], settings?: RunSettings): Promise<Serving> {
  const running = startCli(['serve', ...args], settings);
  const stop = (): Promise<Finished> => {
    running.signal('SIGTERM');
    return running.done;
  };
  onTestFinished(async () => void (await stop()));
  await running.stdout.until(/\n/);
  const isJson = running.stdout.text.startsWith('{');
  return { ...running, ready: isJson ? (running.stdout.lines[0] as Ready) : undefined, stop };
}

/** Calls the client API as a user; the first one by default. */
export async function call(
  { homeserver, users }: Ready,
  method: string,
  path: string,
  body?: unknown,
  user: { readonly access_token: string } | undefined = users[0],
): Promise<Response> {
  const headers = { authorization: `Bearer ${user?.access_token ?? ''}` };
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(`${homeserver}/_matrix/client/v3${path}`, { method, headers, ...init });
}

/** Sends a message to the server as its first user. */
export function sendToServer(ready: Ready, type: string, content: object, txn = '1'): Promise<Response> {
  return sendTo(ready, `@:${ready.server_name}`, '', type, content, txn);
}

export function sendTo(
  ready: Ready,
  userId: string,
  device: string,
  type: string,
  content: object,
  txn = '1',
): Promise<Response> {
  return call(ready, 'PUT', `/sendToDevice/${type}/${txn}`, {
    messages: { [userId]: { [device]: content } },
  });
}

/** A folder that is removed when the test ends. */
export async function tempDir(): Promise<string> {
  const directory = await makeTempDir();
  onTestFinished(() => directory.remove());
  return directory.path;
}

export function defined<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('there is none');
  return value;
}
