/** Reading a device's queue for `/sync` and sliding sync: positions, acknowledgement, long polls. */
import type { DeviceRef, QueuedEvent } from '../store/store.js';
import type { JsonText } from '../wire/json.js';
import type { Call } from './call.js';
import type { Homeserver } from './homeserver.js';
import { invalidParam } from './refusal.js';

/** What a client has to say to get further, and what it gets. */
export interface Batch {
  /** Acknowledges the batch when it comes back as `since`. */
  readonly nextBatch: string;
  /** `{sender,type,content}` each, and no more. */
  readonly events: readonly JsonText[];
}

export interface BatchRequest {
  /** As the client sent it; undefined for the beginning of what is not acknowledged. */
  readonly since: string | undefined;
  readonly limit: number;
  /** How long to wait when there is nothing. */
  readonly waitMs: number;
  /** Whose signal ends the wait. It is asked for when there is one: most requests find what they came for. */
  readonly call: Pick<Call, 'signal'>;
}

/**
 * Acknowledges everything up to `since`, and reads the next events in order of arrival.
 *
 * @see Client-Server API v1.19, "Send-to-Device messaging", "Server behaviour"
 * @throws Refusal 400 `M_INVALID_PARAM` when `since` is no token of ours
 */
export async function readBatch(home: Homeserver, device: DeviceRef, request: BatchRequest): Promise<Batch> {
  const after = await parseSince(home, request.since);
  if (request.since !== undefined) await home.store.acknowledge(device, after);
  const events = await readQueue(home, device, after, request);
  return {
    nextBatch: encodeToken(events.at(-1)?.position ?? after),
    events: events.map(encodeEvent),
  };
}

/** Waits like `readBatch` where no events are asked for. */
export async function waitIdle(
  home: Homeserver,
  device: DeviceRef,
  waitMs: number,
  call: Pick<Call, 'signal'>,
): Promise<void> {
  await readQueue(home, device, Number.MAX_SAFE_INTEGER, { limit: 0, waitMs, call });
}

async function readQueue(
  home: Homeserver,
  device: DeviceRef,
  after: number,
  { limit, waitMs, call }: Omit<BatchRequest, 'since'>,
): Promise<readonly QueuedEvent[]> {
  const deadline = home.clock.monotonic() + waitMs;
  for (;;) {
    const waiter = home.waiters.enter(device);
    try {
      const events = await home.store.queued(device, after, limit);
      const leftMs = deadline - home.clock.monotonic();
      if (events.length > 0 || leftMs <= 0) return events;
      if ((await grownWithin(home, waiter.woken, leftMs, call.signal)) !== 'grown') return events;
    } finally {
      waiter.leave();
    }
  }
}

async function grownWithin(
  home: Homeserver,
  woken: Promise<'grown' | 'over'>,
  leftMs: number,
  clientGone: AbortSignal,
): Promise<'grown' | 'over'> {
  const done = new AbortController();
  const stop = (): void => done.abort(AWAKE);
  clientGone.addEventListener('abort', stop, { once: true });
  if (clientGone.aborted) stop();
  try {
    const sleep = home.clock.sleep(leftMs, done.signal).catch(() => undefined);
    return await Promise.race([woken, sleep.then(() => 'over' as const)]);
  } finally {
    stop();
    clientGone.removeEventListener('abort', stop);
  }
}

async function parseSince(home: Homeserver, since: string | undefined): Promise<number> {
  if (since === undefined) return 0;
  const position = /^t(\d{1,15})$/.exec(since)?.[1];
  if (position === undefined || Number(position) > (await home.store.newestPosition())) {
    throw invalidParam('since is no token of this server');
  }
  return Number(position);
}

function encodeToken(position: number): string {
  return `t${position}`;
}

function encodeEvent({ sender, type, content }: QueuedEvent): JsonText {
  return `{"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)},"content":${content}}` as JsonText;
}

/** Made once: an abort without a reason makes an error, with its stack, for every wait. */
const AWAKE = new Error('the wait is over');
/** At most so many events in one batch (the specification recommends 100). */
export const MAX_BATCH = 100;
