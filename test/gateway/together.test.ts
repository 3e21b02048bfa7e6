import { expect, it } from 'vitest';
import { runTogether } from '../../src/gateway/together.js';

const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

it('runs all until the signal aborts', async () => {
  const stop = new AbortController();
  const ended: number[] = [];
  const works = [1, 2].map((n) => async (signal: AbortSignal) => {
    await untilAborted(signal);
    ended.push(n);
  });
  const run = runTogether(works, stop.signal);
  stop.abort(new Error('enough'));
  await run;
  expect(ended).toEqual([1, 2]);
});

it('ends the others when one fails, and throws what the first threw', async () => {
  const afterwards = async (signal: AbortSignal) => {
    await untilAborted(signal);
    throw new Error('because it was told to end');
  };
  const run = runTogether(
    [afterwards, () => Promise.reject(new Error('broken')), untilAborted],
    new AbortController().signal,
  );
  await expect(run).rejects.toThrow('broken');
});

it('is told at once when it is over already', async () => {
  await runTogether([(signal) => Promise.resolve(expect(signal.aborted).toBe(true))], AbortSignal.abort());
});
