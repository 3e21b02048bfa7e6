/** `npm run evidence`: records what is claimed in `docs/evidence/`, and writes it down. */
import { writeFile } from 'node:fs/promises';
import { synapsePython } from '../interop/kit/python.js';
import { recordWire } from './record-wire.js';
import { renderWire } from './render-wire.js';
import { evidenceFaults } from './wire-evidence.js';

/** A piece of evidence: how it is recorded, what is wrong with it, and how people read it. */
interface Piece<Recorded> {
  record(python: string): Promise<Recorded>;
  /** A line each; nothing is written unless it is empty. */
  faults(recorded: Recorded): string[];
  render(recorded: Recorded): string;
}

/** File name, without ending → piece. A new one goes here. */
const PIECES: Readonly<Record<string, () => Promise<Files>>> = {
  'wire-shapes': prepare({
    record: (python) =>
      recordWire({ python, ports: { one: 18_481, two: 18_482, synapse: 18_483, speaker: 18_484 } }),
    faults: evidenceFaults,
    render: renderWire,
  }),
};

/** Writes all pieces, or those that are named. */
export async function generate(names: readonly string[]): Promise<void> {
  for (const name of names.length > 0 ? names : Object.keys(PIECES)) {
    const record = PIECES[name];
    if (record === undefined) throw new Error(`there is no ${name}, only ${Object.keys(PIECES).join(', ')}`);
    for (const [ending, text] of Object.entries(await record())) {
      await writeFile(new URL(`${name}.${ending}`, FOLDER), text);
      process.stdout.write(`docs/evidence/${name}.${ending}\n`);
    }
  }
}

interface Files {
  readonly json: string;
  readonly md: string;
}

function prepare<Recorded>({ record, faults, render }: Piece<Recorded>): () => Promise<Files> {
  return async () => {
    const found = await synapsePython(process.env);
    if ('missing' in found) throw new Error(`evidence needs a real Synapse: ${found.missing}`);
    const recorded = await record(found.python);
    const wrong = faults(recorded);
    if (wrong.length > 0) throw new Error(`this is no evidence:\n${wrong.join('\n')}`);
    return { json: `${JSON.stringify(recorded, undefined, 2)}\n`, md: render(recorded) };
  };
}

const FOLDER = new URL('../../docs/evidence/', import.meta.url);
