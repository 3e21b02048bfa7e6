/** Colour: whether a stream gets it, and the few meanings that have one. */
import { styleText } from 'node:util';

/** The meanings that are shown in colour. A renderer is given its palette and knows no colour itself. */
export interface Palette {
  readonly strong: Paint;
  readonly faint: Paint;
  readonly good: Paint;
  readonly bad: Paint;
  readonly warning: Paint;
  /** An identifier or a name. */
  readonly name: Paint;
}

/** Colours a text. */
export type Paint = (text: string) => string;

const asIs: Paint = (text) => text;

/** No colour at all. */
export const PLAIN_PALETTE: Palette = {
  strong: asIs,
  faint: asIs,
  good: asIs,
  bad: asIs,
  warning: asIs,
  name: asIs,
};

/** What `--color` says. */
export type ColorChoice = 'auto' | 'always' | 'never';

/** Decides for one stream: `--color` > `NO_COLOR` > `FORCE_COLOR` > `TERM=dumb` > is it a terminal. */
export function wantsColor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (env['NO_COLOR']) return false;
  if (env['FORCE_COLOR']) return env['FORCE_COLOR'] !== '0';
  if (env['TERM'] === 'dumb') return false;
  return isTerminal;
}

/** The palette for one stream. */
export function paletteFor(
  choice: ColorChoice,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): Palette {
  return wantsColor(choice, env, isTerminal) ? COLORS : PLAIN_PALETTE;
}

function paint(style: Parameters<typeof styleText>[0]): Paint {
  return (text) => styleText(style, text, { validateStream: false }); // the decision was ours
}

const COLORS: Palette = {
  strong: paint('bold'),
  faint: paint('dim'),
  good: paint('green'),
  bad: paint('red'),
  warning: paint('yellow'),
  name: paint('cyan'),
};
