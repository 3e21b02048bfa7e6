/** Where the results of `mx2s check` go: to stdout, in one of four forms. */
import type { Result } from '../check/runner.js';
import { checkResult } from '../ui/render/check-json.js';
import { renderJunit } from '../ui/render/check-junit.js';
import { renderTapHead, renderTapResult } from '../ui/render/check-tap.js';
import { renderCheckResult } from '../ui/render/check-text.js';
import type { Output } from '../ui/streams.js';
import type { RunOptions } from './check-options.js';

export interface Report {
  /** Before the first result. */
  begin(): Promise<void>;
  /** A result, as soon as it is known. */
  result(result: Result): Promise<void>;
  /** After the last one. */
  end(): Promise<void>;
}

/** @param startedTs when the run began, in milliseconds since the Unix epoch */
export function openReport(
  out: Output,
  { format, homeserver, requirements, strict: isStrict }: RunOptions,
  startedTs: number,
): Report {
  const results: Result[] = [];
  const nothing = async (): Promise<void> => undefined;
  switch (format ?? out.format) {
    case 'json':
      return {
        begin: nothing,
        result: (result) => out.writeJson(JSON.stringify(checkResult(result))),
        end: nothing,
      };
    case 'text':
      return {
        begin: nothing,
        result: (result) => out.write(`${renderCheckResult(result, out)}\n`),
        end: nothing,
      };
    case 'tap':
      return {
        begin: () => out.write(renderTapHead(requirements.length)),
        result: (result) => out.write(renderTapResult(result, results.push(result), isStrict)),
        end: nothing,
      };
    case 'junit':
      return {
        begin: nothing,
        result: async (result) => void results.push(result),
        end: () => out.write(renderJunit({ results, homeserver, isStrict, startedTs })),
      };
  }
}
