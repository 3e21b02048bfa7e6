/** The hook of `listen`: what `--exec` and `--forward-to` become. */
import { execHook } from '../listen/exec-hook.js';
import { parseHeaderFile, type HeaderArgument } from '../listen/forward-headers.js';
import { forwardHook } from '../listen/forward-hook.js';
import { retryingHook, type Hook } from '../listen/hook.js';
import { escapeText } from '../ui/escape.js';
import { readTextFrom } from '../ui/file-input.js';
import type { Context } from './context.js';
import type { HookOptions } from './listen-options.js';

/** @throws UnreadableFileError, InvalidInputError for a file of headers */
export async function openHook(context: Context, { target, retries }: HookOptions): Promise<Hook> {
  const { env, talk, clock, chance, globals } = context;
  if ('url' in target) {
    const http = (await context.http()).withPolicy({ retries, maxWaitMs: globals.maxWaitMs });
    return forwardHook({
      url: target.url,
      headers: await readHeaders(context, target.headers),
      send: (request, signal) => http.send(request, signal),
    });
  }
  const hook = execHook({
    command: target.command,
    env,
    escape: escapeText,
    onOutput: (line) => talk.line(line),
  });
  return retryingHook(hook, {
    retries,
    clock,
    chance,
    onRetry: (error, delayMs) =>
      talk.notice(`${error.message}, trying again in ${(delayMs / 1000).toFixed(1)} s`),
  });
}

/** Of two with the same name, the last counts. */
async function readHeaders(
  { stdin }: Context,
  given: readonly HeaderArgument[],
): Promise<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const header of given) {
    if ('file' in header) {
      const text = await readTextFrom(header.file, stdin, 'the list of headers');
      Object.assign(headers, parseHeaderFile(text, header.file));
    } else {
      headers[header.name] = header.value;
    }
  }
  return headers;
}
