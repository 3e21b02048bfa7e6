/**
 * `npm run bench:scale`: what a message costs `serve` when there is much of everything, and with how many long polls
 * at a time. Takes some minutes, and writes docs/scale.md and docs/scale.svg.
 */
import { writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { Stage } from '../../test/evidence/stage.js';
import { makeTempDir } from '../../test/kit/temp-dir.js';
import { openMemoryStore } from '../../src/store/memory.js';
import { openSqliteStore } from '../../src/store/sqlite.js';
import { describeMachine, ownVersions } from '../machine.js';
import { GROWTHS, measureGrowth, type Curve } from './growth.js';
import { measurePolls, type Polls } from './polls.js';
import { renderScale, renderScalePlot } from './render-scale.js';

export async function scale(): Promise<void> {
  const stage = new Stage();
  try {
    const curves: Curve[] = [];
    const { path } = stage.add(await makeTempDir(), (directory) => directory.remove());
    for (const growth of GROWTHS) {
      curves.push(await measureGrowth(growth, 'memory', () => openMemoryStore(), say));
      const file = `${path}/${growth.name}`;
      curves.push(await measureGrowth(growth, 'SQLite', (size) => openSqliteStore(`${file}-${size}`), say));
    }
    const polls: Polls[] = [];
    for (const count of [10, 10_000]) polls.push(await measurePolls(count, say));
    const report = {
      measuredAt: new Date().toISOString(),
      machine: describeMachine(),
      versions: ownVersions(),
      load: loadavg()[0] ?? 0,
      curves,
      polls,
    };
    await writeFile(new URL('../../docs/scale.md', import.meta.url), renderScale(report));
    await writeFile(new URL('../../docs/scale.svg', import.meta.url), renderScalePlot(curves));
  } finally {
    await stage.close();
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
