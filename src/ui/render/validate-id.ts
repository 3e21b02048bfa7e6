/** `mx2s validate-id` for people: a line for each identifier, or one for all. */
import {
  ID_REASONS,
  ID_WARNINGS,
  type Grade,
  type Grammar,
  type IdCode,
  type IdWarning,
} from '../../ids/verdict.js';
import { escapeText } from '../escape.js';
import type { Palette } from '../palette.js';

/** What an identifier is taken for. */
export type IdKind = 'user' | 'server' | 'device';

/** One identifier examined: the JSON object of `validate-id`. */
export interface IdResult {
  readonly v: 1;
  readonly id: string;
  readonly kind: IdKind;
  /** By the grammar asked for; `code` and `reason` are there if it is false. */
  readonly valid: boolean;
  /** It stands for a server: a server user, the server device, or a valid server name. */
  readonly is_server: boolean;
  readonly localpart: string | null;
  readonly server_name: string | null;
  readonly code?: IdCode;
  readonly reason?: string;
  readonly warnings: readonly IdWarning[];
  readonly grammars: Readonly<Record<Grammar, Grade>>;
}

/** The JSON object of `validate-id --count`. */
export interface IdCount {
  readonly v: 1;
  readonly total: number;
  readonly valid: number;
  readonly invalid: number;
}

/** A line, without its end. An identifier wider than `width` is cut. */
export function renderIdResult(result: IdResult, palette: Palette, width: number): string {
  const mark = result.valid ? palette.good('valid  ') : palette.bad('invalid');
  const notes = [
    ...(result.code === undefined ? [] : [`${palette.bad(result.code)} ${ID_REASONS[result.code]}`]),
    ...result.warnings.map((warning) => `${palette.warning(warning)} ${ID_WARNINGS[warning]}`),
    ...(result.is_server && result.kind !== 'server' ? [`server ${result.kind}`] : []),
    ...acceptedBySome(result.grammars).map((grammars) => palette.faint(`valid in ${grammars}`)),
  ];
  return [mark, palette.name(shownId(result.id, width)), notes.join('; ')]
    .filter((part) => part !== '')
    .join('  ');
}

/** A line, without its end. */
export function renderIdCount({ total, valid, invalid }: IdCount, palette: Palette): string {
  const bad = `${invalid} invalid`;
  return `${total} in all, ${palette.good(`${valid} valid`)}, ${invalid === 0 ? bad : palette.bad(bad)}`;
}

/** Nothing to say if all grammars agree. */
function acceptedBySome(grammars: IdResult['grammars']): string[] {
  const accepting = Object.entries(grammars).filter(([, grade]) => grade.valid);
  const names = accepting.map(([name]) => name);
  return names.length === 0 || names.length === 3 ? [] : [names.join(' and ')];
}

function shownId(id: string, width: number): string {
  if (id === '') return '""';
  const shown = escapeText(id);
  return shown.length > width ? `${[...shown].slice(0, width - 1).join('')}…` : shown;
}
