/** The embedded homeserver as its routes see it: who it is, what it remembers, and what it is allowed to do. */
import type { Chance } from '../chance.js';
import type { Clock } from '../clock.js';
import type { ServerName } from '../ids/server-name.js';
import type { UserId } from '../ids/user-id.js';
import type { Store } from '../store/store.js';
import type { EduFault } from '../todevice/edu.js';
import type { Delivery } from './delivery.js';
import type { Federation } from './federation.js';
import type { LogEntry } from './log-entry.js';
import type { SlidingConnections } from './sliding-connections.js';
import type { Waiters } from './waiters.js';

export interface Homeserver {
  readonly serverName: ServerName;
  /** `@:serverName`, which is nobody's account. */
  readonly serverUser: UserId;
  /** Where clients reach it, without a final slash. */
  readonly baseUrl: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly delivery: Delivery;
  readonly federation: Federation;
  /** Takes the event log, entry by entry. */
  readonly onEvent: (entry: LogEntry) => void;
  /** How many EDUs were dropped, by reason: all the trace that they leave. */
  readonly droppedEdus: Record<EduFault, number>;
  readonly waiters: Waiters;
  readonly connections: SlidingConnections;
  readonly allowRegistration: boolean;
  /** How long an access token lives whose client can refresh it. */
  readonly accessTokenLifetimeMs: number;
}
