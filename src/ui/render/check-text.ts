/** `mx2s check` for people: a line for each requirement, in columns, and below it what the terminal has no room for. */
import type { Need, Verdict } from '../../check/probe.js';
import type { Tally } from '../../check/report.js';
import { REQUIREMENT_IDS, requirementOf } from '../../check/requirements.js';
import type { Result } from '../../check/runner.js';
import type { SecondServer } from '../../check/second-server.js';
import { escapeText } from '../escape.js';
import type { Paint, Palette } from '../palette.js';
import type { ListedRequirement } from './check-json.js';
import { asIs, renderColumns, type Column } from './columns.js';

export interface CheckLook {
  readonly palette: Palette;
  /** Characters to cut to; infinite for no cutting. */
  readonly width: number;
}

/** One result. What was seen of a pass is cut to the width; of anything else it goes on below. No last line end. */
export function renderCheckResult(result: Result, look: CheckLook): string {
  const { requirement, verdict, seen } = result;
  const { palette } = look;
  const { level, title } = requirementOf(requirement);
  const head: readonly Column[] = [
    [requirement.padEnd(ID_WIDTH), palette.strong],
    [verdict.padEnd(VERDICT_WIDTH), verdictPaint(verdict, palette)],
    [level.padEnd(LEVEL_WIDTH), palette.faint],
    [title.padEnd(TITLE_WIDTH), asIs],
  ];
  return renderWithNote(head, seen, { ...look, mayCut: verdict === 'pass' });
}

/** One requirement with `--list`. No last line end. */
export function renderListed(listed: ListedRequirement, look: CheckLook): string {
  const { requirement, level, basis, title, provable, needs, why } = listed;
  const { palette } = look;
  const head: readonly Column[] = [
    [requirement.padEnd(ID_WIDTH), palette.strong],
    [provable.padEnd(PROVABLE_WIDTH), provable === 'never' ? palette.faint : palette.name],
    [level.padEnd(LEVEL_WIDTH), palette.faint],
    [basis.padEnd(BASIS_WIDTH), palette.faint],
    [title.padEnd(TITLE_WIDTH), asIs],
  ];
  const note = why ?? needs.map((need) => NEED_FLAGS[need]).join(', ');
  return renderWithNote(head, note, { ...look, mayCut: false });
}

/** What to look at when no EDU came in either direction: one line. */
export function renderCutOff({
  serverName,
  authority,
}: Pick<SecondServer, 'serverName' | 'authority'>): string {
  return [
    `no EDU came from ${serverName} to the homeserver or back: does that name lead to ${authority} from there`,
    'does the homeserver take the certificate',
    'and do its rules let it federate with it (allowed servers, blocked addresses)?',
  ].join(', ');
}

/** The sum of all results, and what it took: one line. */
export function renderCheckTally(
  { pass, fail, inconclusive, skipped, counting }: Tally,
  requests: number,
  elapsedMs: number,
): string {
  const against = counting === 0 ? 'none counts' : counting === 1 ? '1 counts' : `${counting} count`;
  return [
    `${pass} pass, ${fail} fail, ${inconclusive} inconclusive, ${skipped} skipped`,
    ...(fail + inconclusive > 0 ? [`${against} against the homeserver`] : []),
    `${requests} requests in ${(elapsedMs / 1000).toFixed(1)} s`,
  ].join('; ');
}

function renderWithNote(
  head: readonly Column[],
  note: string,
  { palette, width, mayCut }: CheckLook & { readonly mayCut: boolean },
): string {
  if (note === '') return renderColumns(whole(head, width), width);
  const room = width - head.reduce((sum, [text]) => sum + text.length + GAP_WIDTH, 0);
  const fits = [...escapeText(note)].length <= room;
  if (fits || mayCut) {
    const columns: readonly Column[] =
      fits || room >= MIN_NOTE_WIDTH ? [...head, [note, palette.faint]] : whole(head, width);
    return renderColumns(columns, width).trimEnd();
  }
  const below = wrap(note, width - INDENT.length).map((line) => INDENT + palette.faint(line));
  return [renderColumns(whole(head, width), width), ...below].join('\n');
}

/** The columns with nothing behind the last; without any padding where that would cost a part of it. */
function whole(columns: readonly Column[], width: number): readonly Column[] {
  const bare: readonly Column[] = columns.map(([text, paint]) => [text.trimEnd(), paint]);
  const aligned = [...columns.slice(0, -1), ...bare.slice(-1)];
  const taken = aligned.reduce((sum, [text]) => sum + text.length + GAP_WIDTH, -GAP_WIDTH);
  return taken <= width ? aligned : bare;
}

/** Escapes, and breaks between words; a word that is longer than a line stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of escapeText(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function verdictPaint(verdict: Verdict, palette: Palette): Paint {
  switch (verdict) {
    case 'pass':
      return palette.good;
    case 'fail':
      return palette.bad;
    case 'inconclusive':
      return palette.warning;
    case 'skipped':
      return palette.faint;
  }
}

const NEED_FLAGS = {
  other: '--other',
  federation: '--federation',
  registration: '--allow-register',
} as const satisfies Record<Need, string>;
const ID_WIDTH = 4;
const VERDICT_WIDTH = 'inconclusive'.length;
const LEVEL_WIDTH = 'should'.length;
const PROVABLE_WIDTH = 'by reply'.length;
const BASIS_WIDTH = 'proposal'.length;
const TITLE_WIDTH = Math.max(...REQUIREMENT_IDS.map((id) => requirementOf(id).title.length));
const GAP_WIDTH = 2;
/** Less of a note says nothing. */
const MIN_NOTE_WIDTH = 16;
const INDENT = ' '.repeat(ID_WIDTH + GAP_WIDTH);
