/** The environment of programs that must not see the settings of whoever measures them. */
import type { Stage } from '../test/evidence/stage.js';
import { isolatedEnv } from '../test/kit/binary.js';
import { makeTempDir } from '../test/kit/temp-dir.js';

/** A new home, which goes with the stage; `node` is the one that runs this. */
export async function openHome(stage: Stage): Promise<Record<string, string> & { readonly HOME: string }> {
  const { path } = stage.add(await makeTempDir(), (home) => home.remove());
  return { ...isolatedEnv(path), HOME: path };
}
