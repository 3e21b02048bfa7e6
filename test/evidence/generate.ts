/** `npm run evidence`: records what is claimed in `docs/evidence/`, and writes it down. */
import { writeFile } from 'node:fs/promises';
import { findEngine } from '../interop/kit/engine.js';
import { findNatsServer } from '../interop/kit/nats-program.js';
import { dendriteProgram } from '../interop/kit/dendrite-program.js';
import { synapsePython } from '../interop/kit/python.js';
import { conformanceFaults, transcriptFaults, transcriptFile } from './conformance-evidence.js';
import { recordConformance } from './record-conformance.js';
import { recordWire } from './record-wire.js';
import { recordWorkersInFull } from './record-workers.js';
import { renderAmbiguities, renderConformance } from './render-conformance.js';
import { renderWire } from './render-wire.js';
import { renderWorkers } from './render-workers.js';
import { evidenceFaults } from './wire-evidence.js';
import { workersFaults } from './workers-evidence.js';

/** A piece of evidence: records, and gives its files. @throws MissingProgram */
type Piece = () => Promise<Files>;

/** File name in `docs/evidence/` → its text. */
type Files = Readonly<Record<string, string>>;

/** Why a piece cannot be recorded here; what is committed of it stays as it is. */
class MissingProgram extends Error {}

/** What can be named; a new one goes here. */
const PIECES: Readonly<Record<string, Piece>> = {
  'wire-shapes': async () => {
    const ports = { one: 18_481, two: 18_482, synapse: 18_483, speaker: 18_484 };
    const recorded = await recordWire({ python: await pythonWithSynapse(), ports });
    expectNone(await evidenceFaults(recorded));
    return { 'wire-shapes.json': encode(recorded), 'wire-shapes.md': renderWire(recorded) };
  },
  conformance: async () => {
    const python = await pythonWithSynapse();
    const dendrite = await dendriteProgram(process.env);
    const { evidence, transcripts } = await recordConformance({ python, dendrite });
    expectNone([...conformanceFaults(evidence), ...transcriptFaults(evidence, transcripts)]);
    return {
      'conformance.json': encode(evidence),
      'conformance.md': renderConformance(evidence),
      'ambiguities.md': renderAmbiguities(evidence),
      ...Object.fromEntries(
        evidence.servers.map((server) => [transcriptFile(server), transcripts[server.name] ?? '']),
      ),
    };
  },
  workers: async () => {
    const engine = await findEngine(process.env);
    if ('missing' in engine)
      throw new MissingProgram(`which needs a Synapse of many processes: ${engine.missing}`);
    const nats = await findNatsServer();
    if ('missing' in nats) throw new MissingProgram(`which needs a real NATS server: ${nats.missing}`);
    const recorded = await recordWorkersInFull(engine, nats);
    expectNone(workersFaults(recorded));
    return { 'workers.json': encode(recorded), 'workers.md': renderWorkers(recorded) };
  },
};

/**
 * Writes all pieces, or those that are named. Resolves with the exit status: 1 when one could not be recorded, 2 when one
 * is not known, and then nothing was.
 */
export async function generate(names: readonly string[]): Promise<number> {
  const unknown = names.filter((name) => !Object.hasOwn(PIECES, name));
  if (unknown.length > 0) {
    const known = Object.keys(PIECES).join(', ');
    process.stderr.write(`there is no evidence ${unknown.join(', ')}, only ${known}\n`);
    return 2;
  }
  let status = 0;
  for (const name of names.length > 0 ? names : Object.keys(PIECES)) {
    const record = PIECES[name];
    try {
      if (record !== undefined) await write(await record());
    } catch (error) {
      if (!(error instanceof MissingProgram)) throw error;
      process.stderr.write(`NOT RECORDED: ${name}, ${error.message}\n`);
      status = 1;
    }
  }
  return status;
}

async function write(files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await writeFile(new URL(name, FOLDER), text);
    process.stdout.write(`docs/evidence/${name}\n`);
  }
}

async function pythonWithSynapse(): Promise<string> {
  const found = await synapsePython(process.env);
  if ('missing' in found) throw new MissingProgram(`which needs a real Synapse: ${found.missing}`);
  return found.python;
}

/** @throws Error with the faults, a line each: what has one is not written */
function expectNone(faults: readonly string[]): void {
  if (faults.length > 0) throw new Error(`this is no evidence:\n${faults.join('\n')}`);
}

function encode(recorded: unknown): string {
  return `${JSON.stringify(recorded, undefined, 2)}\n`;
}

const FOLDER = new URL('../../docs/evidence/', import.meta.url);
