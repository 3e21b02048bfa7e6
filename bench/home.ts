/** The environment of programs that must not see the settings of whoever measures them. */
import type { Stage } from '../test/evidence/stage.js';
import { isolatedEnv } from '../test/kit/binary.js';
import { makeTempDir } from '../test/kit/temp-dir.js';

export type Home = Readonly<Record<string, string>> & { readonly HOME: string };

/** A new one, which goes with the stage. In it, `node` is the one that runs this. */
export async function openHome(stage: Stage): Promise<Home> {
  const { path } = stage.add(await makeTempDir(), (home) => home.remove());
  return { ...isolatedEnv(path), HOME: path };
}
