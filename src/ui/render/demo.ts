import type { DemoStep } from '../../demo/steps.js';
import type { Palette } from '../palette.js';
import { quoteForShell } from './shell.js';

/** A step of the tour as a person reads it: what it is for, and the command line that runs. */
export function renderStep({ say, argv }: DemoStep, palette: Palette): string {
  const line = ['mx2s', ...argv].map(quoteForShell).join(' ');
  return `\n${palette.faint(`# ${say}`)}\n${palette.strong(`$ ${line}`)}\n`;
}
