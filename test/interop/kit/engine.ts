/**
 * What a Synapse of many processes needs: Python, PostgreSQL and Redis. Found for the interop tests (vitest calls
 * `setup` once a run), or it is said loudly what is missing.
 */
import type { TestProject } from 'vitest/node';
import { findPostgres, type PostgresPrograms } from './postgres.js';
import { synapseWorkersPython } from './python.js';
import { findRedis, type RedisProgram } from './redis.js';

export interface Engine {
  /** The interpreter that has Synapse, with all that its workers need. */
  readonly python: string;
  readonly postgres: PostgresPrograms;
  readonly redis: RedisProgram;
}

/** What a test finds under `inject('engine')`. */
export type FoundEngine = Engine | { readonly missing: string };

declare module 'vitest' {
  interface ProvidedContext {
    engine: FoundEngine;
  }
}

export async function setup(project: TestProject): Promise<void> {
  const found = await findEngine(process.env);
  if ('missing' in found) process.stderr.write(skipNotice(found.missing));
  project.provide('engine', found);
}

export async function findEngine(env: NodeJS.ProcessEnv): Promise<FoundEngine> {
  const postgres = await findPostgres(env);
  if ('missing' in postgres) return postgres;
  const redis = await findRedis();
  if ('missing' in redis) return redis;
  const python = await synapseWorkersPython(env);
  if ('missing' in python) return python;
  return { ...python, postgres, redis };
}

function skipNotice(missing: string): string {
  const line = '*'.repeat(100);
  return [
    '',
    line,
    'SKIPPED: the interop tests with a Synapse of many processes. They need PostgreSQL, Redis and Synapse:',
    missing,
    "Install Debian's packages postgresql and redis-server.",
    line,
    '',
    '',
  ].join('\n');
}
