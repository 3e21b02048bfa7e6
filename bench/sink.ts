/** The sink: a homeserver that costs next to nothing. */
import type { Stage } from '../test/evidence/stage.js';
import { startBinary } from '../test/kit/binary.js';
import { openHome, type Home } from './home.js';
import { wireProgram } from './programs.js';

export interface Sink {
  readonly homeserver: string;
  /** A home of its own for its clients, with its address and a token. */
  readonly env: Home;
  readonly versions: Readonly<Record<string, string>>;
  /** What it has taken so far. */
  taken(): Promise<Taken>;
}

export interface Taken {
  readonly messages: number;
  /** How many different ones. */
  readonly transactions: number;
}

export interface SinkOptions {
  /** Events that wait. */
  readonly backlog?: number | undefined;
  /** How many it gives at once; default 100, as Synapse. */
  readonly batch?: number | undefined;
  /** Events that come, once somebody waits for them. */
  readonly coming?: { readonly perSecond: number; readonly total: number } | undefined;
}

/** Starts one, which goes with the stage. @throws MissingProgram */
export async function startSink(
  stage: Stage,
  { backlog = 0, batch = 100, coming }: SinkOptions = {},
): Promise<Sink> {
  const { path: program, versions } = await wireProgram('sink');
  const home = await openHome(stage);
  const { perSecond = 0, total = 0 } = coming ?? {};
  const flags = { backlog, batch, rate: perSecond, total };
  const args = Object.entries(flags).map(([name, value]) => `-${name}=${String(value)}`);
  const running = stage.add(startBinary(args, { program, home: home.HOME }), (sink) => sink.stop());
  const ready = await running.lineOf('stdout', /"ready":true/);
  const { homeserver } = JSON.parse(ready) as { homeserver: string };
  return {
    homeserver,
    env: { ...home, MX2S_HOMESERVER: homeserver, MX2S_ACCESS_TOKEN: 'token' },
    versions,
    taken: async () => (await (await fetch(`${homeserver}/stats`)).json()) as Taken,
  };
}

/** Whom messages to the sink are for. */
export const SINK_USER = '@:sink.test';
