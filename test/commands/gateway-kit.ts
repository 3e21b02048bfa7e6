/** A homeserver of the tests, and `mx2s gateway` run against it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StubHomeserver, type StubEvent } from '../gateway/homeserver.js';
import type { Running, RunSettings } from '../kit/run-cli.js';
import { openPlace, type Place } from './account.js';

export interface Stage {
  readonly stub: StubHomeserver;
  readonly place: Place;
  readonly registration: string;
  start(...flags: readonly string[]): Running;
  /** The gateway with a password, which echoes. */
  startWith(password: string): Promise<Running>;
}

/** The gateway is ready to be started: it has a registration, whose token the homeserver knows unless `asToken` is another. */
export async function openStage({ asToken }: { asToken?: string } = {}): Promise<Stage> {
  const place = await openPlace();
  const stub = await StubHomeserver.start();
  const registration = join(place.directory, 'mx2s.yaml');
  const own = { homeserver: stub.url, server_name: stub.serverName };
  await writeFile(registration, JSON.stringify({ as_token: asToken ?? stub.asToken, 'mx2s.gateway': own }));
  const settings: RunSettings = { env: { PATH: process.env['PATH'] } };
  return {
    stub,
    place,
    registration,
    start: (...flags) => place.start(['gateway', '--registration', registration, ...flags], settings),
    startWith: async (password) => {
      const file = join(place.directory, 'password');
      await writeFile(file, password);
      const where = ['--homeserver', stub.url, '--server-name', stub.serverName];
      return place.start(['gateway', '--password-file', file, ...where, '--on', '*=echo'], settings);
    },
  };
}

export function eventOf(sender: string, content: object): StubEvent {
  return { sender, type: 'org.example.a', content };
}

/** Where a gateway with `--health-port 0` answers. */
export async function healthOf(running: Running): Promise<string> {
  const [, url = ''] = /(http:\S+)/.exec(await running.stderr.until(/health on http\S+\n/)) ?? [];
  return url;
}

/** Ends it as a user would, and gives the exit status. */
export async function end(running: Running): Promise<number> {
  running.signal('SIGTERM');
  return (await running.done).code;
}

/** What `/live` and `/ready` answer. */
export async function statusOf(health: string): Promise<{ live: number; ready: number }> {
  const [live, ready] = await Promise.all(['live', 'ready'].map((name) => fetch(`${health}/${name}`)));
  return { live: live?.status ?? 0, ready: ready?.status ?? 0 };
}

/** Each sample of `/metrics`, by its name without the prefix. */
export async function metricsOf(health: string): Promise<Record<string, number>> {
  const body = await (await fetch(`${health}/metrics`)).text();
  const samples = [...body.matchAll(/^mx2s_gateway_(\S+) (\S+)$/gm)];
  return Object.fromEntries(samples.map(([, name = '', value]) => [name, Number(value)]));
}
