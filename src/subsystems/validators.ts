/** `validate:NAME`: built-in handlers that look at content. Ours, no part of MSC4246, and off unless asked for. */
import { UsageError } from '../errors.js';
import type { Handler } from './handler.js';
import { validateMlsMessage } from './mls-message.js';
import { validateReport } from './report.js';

export type ValidatorName = keyof typeof VALIDATORS;

export const VALIDATORS = {
  mls: validateMlsMessage,
  report: validateReport,
} as const satisfies Readonly<Record<string, Handler>>;

/** @throws UsageError for a name that none has */
export function parseValidator(text: string): ValidatorName {
  const name = NAMES.find((each) => each === text);
  if (name !== undefined) return name;
  throw new UsageError(`--on: there is no validator '${text}'`, {
    hint: NAMES.map((each) => `validate:${each}`).join(' or '),
  });
}

const NAMES: readonly ValidatorName[] = ['mls', 'report'];
