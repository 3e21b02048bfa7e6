/**
 * Where our files lie. Pure: the environment in, two directories out; nothing is made or looked at here.
 *
 * Profiles are configuration; positions, spools and locks are state (XDG Base Directory Specification 0.8).
 */
import { isAbsolute, join, resolve } from 'node:path';
import { UsageError } from '../errors.js';

/** The environment of the process, handed in. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Directories {
  /** Absolute; holds the profiles. */
  readonly config: string;
  /** Absolute; holds positions, spools and locks. */
  readonly state: string;
}

/**
 * Reads `MX2S_CONFIG_DIR`, below which everything lies, else `XDG_CONFIG_HOME` and `XDG_STATE_HOME`, else
 * `HOME`. An empty variable counts as unset, and so does a relative `XDG_*` ("All paths set in these
 * environment variables must be absolute", section "Basics").
 *
 * @throws UsageError when none of them says where
 */
export function directoriesOf(env: Environment): Directories {
  const own = variable(env, 'MX2S_CONFIG_DIR');
  if (own !== undefined) {
    const config = absolute(own);
    return { config, state: join(config, 'state') };
  }
  return {
    config: join(xdgDirectory(env, 'XDG_CONFIG_HOME', '.config'), 'mx2s'),
    state: join(xdgDirectory(env, 'XDG_STATE_HOME', '.local/state'), 'mx2s'),
  };
}

/** @throws UsageError when the working directory, below which it lies, is no more */
function absolute(path: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    throw new UsageError('MX2S_CONFIG_DIR is relative to a working directory that does not exist', {
      hint: 'set it to an absolute path, or go to another directory',
      cause,
    });
  }
}

/** The value of a variable; an empty one counts as unset. */
export function variable(env: Environment, name: string): string | undefined {
  return env[name] === '' ? undefined : env[name];
}

function xdgDirectory(env: Environment, name: string, belowHome: string): string {
  const directory = env[name] ?? '';
  if (isAbsolute(directory)) return directory;
  const home = env['HOME'] ?? '';
  if (!isAbsolute(home)) {
    throw new UsageError(`no directory for our files: neither ${name} nor HOME is an absolute path`, {
      hint: 'set MX2S_CONFIG_DIR to a directory of yours',
    });
  }
  return join(home, belowHome);
}
