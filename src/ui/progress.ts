/** Spinners and progress bars: only on a terminal, and never where `CI` is set. */
import type { Clock } from '../clock.js';
import type { Talk } from './streams.js';

export interface Progress {
  /** Replaces the text beside the spinner. */
  update(text: string): void;
  /** Takes it off the screen; may be called twice. */
  stop(): void;
}

const SILENT: Progress = { update: () => undefined, stop: () => undefined };

/** Shows a spinner below the talk until it is stopped; does nothing where nobody would see it. */
export async function startProgress(
  talk: Talk,
  options: { readonly inCi: boolean; readonly quiet: boolean; readonly text: string },
): Promise<Progress> {
  const { canvas: stream } = talk;
  if (stream === undefined || options.inCi || options.quiet) return SILENT;
  const { default: ora } = await import('ora');
  // stdin is the command's own: ora must not put it into raw mode; and the decision to draw was ours
  const { text } = options;
  const spinner = ora({ stream, text, discardStdin: false, isEnabled: true, hideCursor: true }).start();
  talk.setLive({ clear: () => spinner.clear(), draw: () => spinner.render() });
  return {
    update: (text) => {
      spinner.text = text;
    },
    stop: () => {
      talk.setLive(undefined);
      spinner.stop();
    },
  };
}

/**
 * How far a count is, with its rate: `5000  1234/s`; with the share of the whole where that is known, from 0 to 1,
 * `[#####---------------] 25%  5000  1234/s`.
 */
export function renderBar(
  done: number,
  share: number | undefined,
  startedAtMs: number,
  clock: Clock,
): string {
  const seconds = Math.max((clock.monotonic() - startedAtMs) / 1000, 0.001);
  const counts = `${done}  ${Math.round(done / seconds)}/s`;
  if (share === undefined) return counts;
  const known = Math.min(1, share);
  const cells = Math.floor(known * BAR_CELLS);
  return `[${'#'.repeat(cells)}${'-'.repeat(BAR_CELLS - cells)}] ${Math.floor(known * 100)}%  ${counts}`;
}

const BAR_CELLS = 20;
