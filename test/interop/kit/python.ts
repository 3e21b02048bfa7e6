/** The Python side of the interop tests: a virtual environment that holds Synapse, made once and kept. */
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SYNAPSE_VERSION = '1.163.2';

/** The interpreter that has Synapse; or, where this machine cannot have one, what is missing. */
export type SynapsePython = { readonly python: string } | { readonly missing: string };

/**
 * Finds the virtual environment, or makes it with `python3 -m venv` and pip (about half a minute).
 *
 * `MX2S_SYNAPSE_VENV` names a folder to use in place of `.cache/synapse-venv-VERSION`, `PYTHON` an interpreter
 * in place of `python3`. A machine without Python, venv, pip or the package gets `missing`: that is for the
 * caller to say loudly.
 */
export async function synapsePython(env: NodeJS.ProcessEnv): Promise<SynapsePython> {
  const venv = env['MX2S_SYNAPSE_VENV'] ?? join(PROJECT, '.cache', `synapse-venv-${SYNAPSE_VERSION}`);
  const python = join(venv, 'bin', 'python');
  if (await hasSynapse(python)) return { python };

  const host = env['PYTHON'] ?? 'python3';
  const version = await run(host, ['--version']);
  if (!version.ok) return { missing: `no Python: "${host} --version" fails (${version.lastLine})` };

  await mkdir(dirname(venv), { recursive: true });
  const made = await run(host, ['-m', 'venv', venv]);
  if (!made.ok) return { missing: `no virtual environment: "${host} -m venv" fails (${made.lastLine})` };

  const fault = await install(python, `matrix-synapse==${SYNAPSE_VERSION}`);
  return fault === undefined ? { python } : { missing: `no Synapse: ${fault}` };
}

/** The same with what Synapse needs beside to be many processes: a driver for PostgreSQL, and Redis. */
export async function synapseWorkersPython(env: NodeJS.ProcessEnv): Promise<SynapsePython> {
  const found = await synapsePython(env);
  if ('missing' in found) return found;
  if ((await run(found.python, ['-c', 'import psycopg2, txredisapi, hiredis'])).ok) return found;
  const fault = await install(
    found.python,
    `matrix-synapse[redis]==${SYNAPSE_VERSION}`,
    'psycopg2-binary', // psycopg2 itself is to be compiled
  );
  return fault === undefined ? found : { missing: `no workers of Synapse: ${fault}` };
}

/** Gives what went wrong, undefined if nothing did. */
async function install(python: string, ...requirements: readonly string[]): Promise<string | undefined> {
  const installed = await run(python, ['-m', 'pip', 'install', ...PIP_FLAGS, ...requirements]);
  if (installed.ok) return undefined;
  return `"pip install ${requirements.join(' ')}" fails (${installed.lastLine})`;
}

async function hasSynapse(python: string): Promise<boolean> {
  const asked = 'from importlib.metadata import version; print(version("matrix-synapse"))';
  const answer = await run(python, ['-c', asked]);
  return answer.ok && answer.lastLine === SYNAPSE_VERSION;
}

function run(file: string, args: readonly string[]): Promise<{ ok: boolean; lastLine: string }> {
  return new Promise((resolve) => {
    execFile(file, args, (error, stdout, stderr) => {
      const said = stderr.trim() || stdout.trim() || (error?.message ?? '');
      resolve({ ok: error === null, lastLine: said.split('\n').at(-1) ?? '' });
    });
  });
}

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** Wheels only: a machine without a compiler is told so at once. */
const PIP_FLAGS = ['--quiet', '--disable-pip-version-check', '--no-input', '--only-binary=:all:'];
