/** The committed evidence of the gateway at a Synapse of many processes, without any of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderWorkers } from './render-workers.js';
import { GATEWAY, workersFaults, type Restart, type WorkersEvidence } from './workers-evidence.js';

const evidence = JSON.parse(read('workers.json')) as WorkersEvidence;

describe('docs/evidence/workers', () => {
  it('has lost nothing', () => {
    expect(workersFaults(evidence)).toEqual([]);
  });

  it('has everything restarted, asked and killed', () => {
    const seen = evidence.restarts.map(({ what, signal }) => `${what} ${signal}`);
    const signals = (what: string) => [`${what} SIGTERM`, `${what} SIGKILL`];
    const parts = [GATEWAY, evidence.sync_worker, 'to_device1', 'main', 'Redis'];
    expect(seen).toEqual(expect.arrayContaining([...parts.flatMap(signals), 'PostgreSQL SIGQUIT']));
  });

  it('has answers while the main process is away, and the worker of the gateway', () => {
    const isWithout = ({ what }: Restart) => what === 'main' || what === evidence.sync_worker;
    const meanwhile = evidence.restarts.filter(isWithout).map((restart) => restart.answered_meanwhile);
    expect(Math.min(...meanwhile)).toBeGreaterThan(0);
  });

  it('has groups of handlers that answered more the more they were', () => {
    const { groups } = evidence.handlers;
    expect(groups.map(({ answered }) => answered.length)).toEqual([1, 2, 4]);
    const rates = groups.map((group) => group.answered_per_second);
    expect(rates).toEqual([...rates].sort((one, other) => one - other));
  });

  it('shows people all that was recorded', () => {
    expect(read('workers.md')).toBe(renderWorkers(evidence));
  });
});

describe('evidence of restarts', () => {
  const forgeries: [what: string, forged: WorkersEvidence, fault: RegExp][] = [
    ['with a loss', withRestarts((restart) => ({ ...restart, lost: 1 })), /1 of \d+ requests were lost/],
    ['before any request', withRestarts((restart) => ({ ...restart, answered_before: 0 })), /not amid/],
    [
      'after all requests',
      withRestarts((restart) => ({ ...restart, answered_before: restart.requests })),
      /not amid/,
    ],
    [
      'without another server',
      withRestarts((each) => ({ ...each, requests_from_afar: 0 })),
      /another server/,
    ],
    ['without restarts', { ...evidence, restarts: [] }, /^main was not restarted$/m],
    ['without workers', { ...evidence, processes: {} }, /^client1 has answered nothing$/m],
    [
      'without throughput',
      { ...evidence, throughput: { ...evidence.throughput, rounds: [] } },
      /throughput was not measured/,
    ],
  ];
  it.each(forgeries)('%s is none', (_what, forged, fault) => {
    expect(workersFaults(forged).join('\n')).toMatch(fault);
  });
});

function withRestarts(change: (restart: Restart) => Restart): WorkersEvidence {
  return { ...evidence, restarts: evidence.restarts.map(change) };
}

function read(name: string): string {
  return readFileSync(new URL(`../../docs/evidence/${name}`, import.meta.url), 'utf8');
}
