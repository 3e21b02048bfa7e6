/** Starts one Synapse for all interop tests (vitest calls it once a run), or says loudly that there is none. */
import type { TestProject } from 'vitest/node';
import { synapsePython } from './python.js';
import { startSynapse, type SynapseAddress } from './synapse.js';

/** What a test finds under `inject('synapse')`. */
export type SharedSynapse = (SynapseAddress & { readonly python: string }) | { readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    synapse: SharedSynapse;
  }
}

export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const found = await synapsePython(process.env);
  if ('missing' in found) {
    process.stderr.write(skipNotice(found.missing));
    project.provide('synapse', found);
    return undefined;
  }
  const synapse = await startSynapse(found.python);
  project.provide('synapse', { ...synapse.address, python: found.python });
  return synapse.stop;
}

function skipNotice(missing: string): string {
  const line = '*'.repeat(100);
  return [
    '',
    line,
    'SKIPPED: every interop test with Synapse. They need a real one, and this machine cannot have it:',
    missing,
    'Install Python 3.10 or later with venv and pip, or name an environment in MX2S_SYNAPSE_VENV.',
    line,
    '',
    '',
  ].join('\n');
}
