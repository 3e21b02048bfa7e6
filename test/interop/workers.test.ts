/** What `npm run evidence workers` records at length, in short: a Synapse of many processes, restarted part by part. */
import { describe, expect, inject, it } from 'vitest';
import { recordWorkers } from '../evidence/record-workers.js';
import { workersFaults } from '../evidence/workers-evidence.js';

const engine = inject('engine');

describe.runIf(!('missing' in engine))('mx2s gateway at a Synapse of many processes', () => {
  it(
    'loses no request while each part is killed and started again, and answers another server',
    { timeout: 300_000 },
    async () => {
      if ('missing' in engine) throw new Error(engine.missing);
      const evidence = await recordWorkers({
        engine,
        throughput: { rounds: 1, messages: 100 },
        groups: undefined,
        requests: 30,
        endings: ['killed'],
      });
      expect(workersFaults(evidence)).toEqual([]);
    },
  );
});
