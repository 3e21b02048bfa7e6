/** What a command is handed to work with. Clock, chance, network and streams are arguments, never reached for. */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import type { Environment } from '../config/paths.js';
import type { SignalListeners } from '../config/settings-file.js';
import type { HttpClient } from '../http/client.js';
import type { Input, Output, Talk } from '../ui/streams.js';
import type { Globals } from './globals.js';

/** Everything from outside that a command may use. */
export interface Context {
  readonly globals: Globals;
  readonly env: Environment;
  readonly stdin: Input;
  readonly out: Output;
  readonly talk: Talk;
  readonly clock: Clock;
  readonly chance: Chance;
  /** Aborts with an `InterruptedError` on SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** The one HTTP client of the run, opened when first asked for and closed by `main`. */
  http(): Promise<HttpClient>;
  /** This process, for lock files. */
  readonly pid: number;
  /** Who listens for signals: packages that begin to, unasked, are stopped. */
  readonly signalListeners: SignalListeners;
  /** How to start this program again: the executable and its first arguments. For `demo`. */
  readonly selfCommand: readonly string[];
}
