/** The words that say what an identifier is and which grammar decides: `--kind` and `--grammar`. */
import { UsageError } from '../errors.js';
import type { Grammar } from '../ids/verdict.js';
import type { IdKind } from '../ui/render/validate-id.js';

/** @throws UsageError when `text` is no kind */
export function parseKind(text = 'user'): IdKind {
  return oneOf(KINDS, text, '--kind');
}

/** @throws UsageError when `text` is no grammar */
export function parseGrammar(text = 'msc4246'): Grammar {
  return oneOf(GRAMMARS, text, '--grammar');
}

function oneOf<Word extends string>(allowed: readonly Word[], word: string, flag: string): Word {
  const found = allowed.find((each) => each === word);
  if (found === undefined) throw new UsageError(`${flag}: '${word}' is not one of ${allowed.join(', ')}`);
  return found;
}

const KINDS: readonly IdKind[] = ['user', 'server', 'device'];
const GRAMMARS: readonly Grammar[] = ['msc4246', 'strict', 'historical'];
