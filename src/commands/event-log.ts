/** Where the event log of `serve` and `gateway` goes: to stdout, and to a file. */
import { closeSync, openSync } from 'node:fs';
import { FILE_MODE, diskError } from '../config/private-file.js';
import { UnreadableFileError } from '../errors.js';
import { encodeLogEntry, type LogEntry } from '../server/log-entry.js';
import { renderLogEntry } from '../ui/render/serve.js';
import { writeWhole } from '../ui/whole-write.js';
import type { Context } from './context.js';

export interface EventLog {
  /** Takes an entry; until `begin` it waits, for the first line on stdout says that the server is ready. */
  write(entry: LogEntry): void;
  /** Writes what waits, and from then on at once. */
  begin(): void;
  /** Rejects when a line cannot be written. */
  readonly broken: Promise<never>;
  /** Resolves when every line is out; rejects like `broken`. */
  close(): Promise<void>;
}

/**
 * Opens the log.
 * @param toStdout false where stdout belongs to another command
 * @throws UnreadableFileError when the file cannot be written
 */
export function openEventLog(
  { out, clock, signal }: Pick<Context, 'out' | 'clock' | 'signal'>,
  { logFile, toStdout }: { readonly logFile: string | undefined; readonly toStdout: boolean },
): EventLog {
  const file = logFile === undefined ? undefined : openLogFile(logFile);
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_resolve, reject) => (fail = reject));
  let written: Promise<unknown> = Promise.resolve();
  const print = async (entry: LogEntry): Promise<void> => {
    file?.append(encodeLogEntry(entry));
    if (!toStdout) return;
    if (out.format === 'json') await out.writeJson(encodeLogEntry(entry));
    else await out.write(`${renderLogEntry(entry, clock.now(), out)}\n`);
  };
  let waiting: LogEntry[] | undefined = [];
  const write = (entry: LogEntry): void => {
    written = Promise.all([written, print(entry)]);
    written.catch(fail);
  };
  const begin = (): void => {
    waiting?.forEach(write);
    waiting = undefined;
  };
  broken.catch(() => undefined); // who has ended already hears of it in `close`
  return {
    write: (entry) => {
      if (waiting === undefined) write(entry);
      else waiting.push(entry);
    },
    begin,
    broken,
    async close() {
      begin();
      file?.close();
      // a reader who takes nothing must not keep a server that was told to stop
      const isDone = new AbortController();
      const patience = clock.sleep(BLOCKED_GRACE_MS, isDone.signal).catch(() => undefined);
      await (signal.aborted ? Promise.race([written, patience]) : written).finally(() => isDone.abort());
    },
  };
}

/** Lines are written at once and in order: none waits in this process when it is killed. */
function openLogFile(path: string): { append(line: string): void; close(): void } {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'a', FILE_MODE);
  } catch (error) {
    throw new UnreadableFileError(
      path,
      `cannot write the event log to ${path}: ${(error as Error).message}`,
      {
        hint: 'name a file in a directory that you may write to',
        cause: error,
      },
    );
  }
  return {
    append(line) {
      try {
        writeWhole(descriptor, `${line}\n`);
      } catch (error) {
        throw diskError(path, error);
      }
    },
    close: () => closeSync(descriptor),
  };
}

const BLOCKED_GRACE_MS = 500;
