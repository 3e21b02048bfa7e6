import { PassThrough } from 'node:stream';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock } from '../../src/clock.js';
import { renderBar, startProgress } from '../../src/ui/progress.js';
import type { Live, Talk } from '../../src/ui/streams.js';

const spinner = { text: '', start: vi.fn(() => spinner), stop: vi.fn(), clear: vi.fn(), render: vi.fn() };
const ora = vi.hoisted(() => vi.fn());
vi.mock('ora', () => ({ default: ora }));

beforeEach(() => {
  vi.clearAllMocks();
  ora.mockReturnValue(spinner);
});

/** What a talk is told to keep below itself. */
function talkOf(canvas: Talk['canvas']): { talk: Talk; live: (Live | undefined)[] } {
  const live: (Live | undefined)[] = [];
  const talk = { canvas, setLive: (next: Live | undefined) => live.push(next) } as Partial<Talk> as Talk;
  return { talk, live };
}

const CANVAS = new PassThrough();
const SHOWN = { inCi: false, quiet: false, text: 'reading' };

describe('startProgress', () => {
  it.each([
    ['where nothing can be redrawn', undefined, SHOWN],
    ['in CI', CANVAS, { ...SHOWN, inCi: true }],
    ['when told to be quiet', CANVAS, { ...SHOWN, quiet: true }],
  ])('shows nothing %s', async (_where, canvas, options) => {
    const { talk, live } = talkOf(canvas);
    const progress = await startProgress(talk, options);
    progress.update('more');
    progress.stop();
    expect(ora).not.toHaveBeenCalled();
    expect(live).toEqual([]);
  });

  it('shows a spinner below the talk until it is stopped, and leaves stdin alone', async () => {
    const { talk, live } = talkOf(CANVAS);
    const progress = await startProgress(talk, SHOWN);
    expect(ora).toHaveBeenCalledWith(
      expect.objectContaining({ text: 'reading', stream: CANVAS, discardStdin: false }),
    );
    expect(spinner.start).toHaveBeenCalledOnce();
    progress.update('more');
    expect(spinner.text).toBe('more');
    live[0]?.clear();
    live[0]?.draw();
    expect([spinner.clear.mock.calls.length, spinner.render.mock.calls.length]).toEqual([1, 1]);
    progress.stop();
    progress.stop();
    expect(live.slice(1)).toEqual([undefined, undefined]);
    expect(spinner.stop).toHaveBeenCalled();
  });
});

describe('renderBar', () => {
  const clock = { monotonic: () => 2000 } as Partial<Clock> as Clock;

  it.each([
    [0, undefined, '0  0/s'],
    [30, undefined, '30  15/s'],
    [0, 0, '[--------------------] 0%  0  0/s'],
    [30, 0.75, '[###############-----] 75%  30  15/s'],
    [39, 0.999, '[###################-] 99%  39  20/s'],
    [50, 1.25, '[####################] 100%  50  25/s'],
  ])('%i, %s of the whole', (done, share, bar) => {
    expect(renderBar(done, share, 0, clock)).toBe(bar);
  });
});
