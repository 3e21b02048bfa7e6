/** What the figures were measured with. */
import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type as systemType } from 'node:os';
import { VERSION } from '../src/version.js';
import type { Machine } from './report.js';

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    processors: processors.length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${systemType()} ${release()}`,
  };
}

/** Of mx2s, with the commit that it was built from, and of Node. */
export function ownVersions(): Readonly<Record<string, string>> {
  return { mx2s: `${VERSION} (${commit()})`, node: process.versions.node };
}

/** `-dirty` is a commit with changes that are in none. */
function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'no commit';
  }
}
