/**
 * The one door to `conf`, which writes a settings file whole, for us alone, by rename.
 *
 * Reading needs none of it, and every command reads: conf is loaded where something is written.
 */
import { promises as files, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type Conf from 'conf';
import { UnreadableFileError } from '../errors.js';
import { diskError, FILE_MODE, hasErrno, makePrivateDirectory } from './private-file.js';

/** The part of Node's `process` that says who listens for a signal. */
export interface SignalListeners {
  rawListeners(signal: string): readonly Listener[];
  off(signal: string, listener: Listener): unknown;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- as Node types them; they are only compared
type Listener = Function;

/**
 * The text of a settings file, or undefined when there is none.
 * @throws UnreadableFileError
 */
export async function readSettings(path: string): Promise<string | undefined> {
  try {
    return await files.readFile(path, 'utf8');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw new UnreadableFileError(path, `cannot read ${path}: ${(error as Error).message}`, {
      hint: 'check its permissions, or set MX2S_CONFIG_DIR to another directory',
      cause: error,
    });
  }
}

/**
 * Replaces a settings file. The caller holds a lock: conf itself reads, changes and writes without one.
 *
 * @param path ends in `.json`
 * @throws DiskError
 */
export async function writeSettings(
  path: string,
  settings: Readonly<Record<string, unknown>>,
  signals: SignalListeners,
): Promise<void> {
  const Settings = await loadConf(signals);
  makePrivateDirectory(dirname(path));
  try {
    removeLeftovers(path);
    const conf = new Settings({
      cwd: dirname(path),
      configName: basename(path, '.json'),
      fileExtension: 'json',
      configFileMode: FILE_MODE,
      projectSuffix: '',
      accessPropertiesByDotNotation: false, // names of profiles have dots
    });
    conf.store = { ...settings };
  } catch (error) {
    throw diskError(path, error);
  }
}

/** What a process left behind that was killed while it wrote: temporary files, with tokens in them. */
function removeLeftovers(path: string): void {
  for (const name of readdirSync(dirname(path))) {
    if (name.startsWith(`${basename(path)}.tmp-`)) rmSync(join(dirname(path), name), { force: true });
  }
}

/**
 * Loads conf without what a package below it does on the way: it listens for every signal and, when one
 * comes, sends it to this process again, which would end a command that was about to finish in good order.
 */
async function loadConf(signals: SignalListeners): Promise<typeof Conf> {
  const before = OUR_SIGNALS.map((signal) => new Set(signals.rawListeners(signal)));
  const { default: Settings } = await import('conf');
  for (const [index, signal] of OUR_SIGNALS.entries()) {
    for (const listener of signals.rawListeners(signal)) {
      if (before[index]?.has(listener) === false) signals.off(signal, listener);
    }
  }
  return Settings;
}

const OUR_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
