/** Colour: whether a stream gets it, and the few meanings that have one. */

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

/** Loads colour. chalk's own detection is not asked: the decision was ours. */
export async function loadPalette(): Promise<Palette> {
  const { Chalk } = await import('chalk');
  const chalk = new Chalk({ level: 1 });
  return {
    strong: (text) => chalk.bold(text),
    faint: (text) => chalk.dim(text),
    good: (text) => chalk.green(text),
    bad: (text) => chalk.red(text),
    warning: (text) => chalk.yellow(text),
    name: (text) => chalk.cyan(text),
  };
}
