/** Counts messages per second at a homeserver, in raw HTTP: what is measured is the homeserver, not mx2s. */
import { sendToDevice, syncOnce, type Session } from '../../test/interop/kit/matrix.js';

export interface Load {
  /** Who sends; they take turns. */
  readonly senders: readonly Session[];
  /** Requests in flight. */
  readonly connections: number;
  readonly count: number;
}

/** How many messages a second the homeserver takes for one device. */
export async function acceptedPerSecond(load: Load, to: Session): Promise<number> {
  const startMs = performance.now();
  await send(load, (from, n) =>
    sendToDevice(from, { userId: to.userId, deviceId: to.deviceId }, TYPE, { n }),
  );
  return perSecond(load.count, startMs);
}

/**
 * How many messages a second a server user answers: from the first request to the last answer, which their senders
 * have read. Whoever plays the server user has to send the content back.
 *
 * @throws Error when answers are missing for long
 */
export async function answeredPerSecond(load: Load, serverUser: string): Promise<number> {
  const missing = new Set(Array.from({ length: load.count }, (_, n) => n));
  const positions = await Promise.all(
    load.senders.map(async (session) => ({ session, ...(await syncOnce(session, { timeoutMs: 0 })) })),
  );
  const over = new AbortController();
  const patience = AbortSignal.any([over.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const read = async (session: Session, start: string): Promise<void> => {
    for (let since = start; missing.size > 0;) {
      const batch = await syncOnce(session, { since, timeoutMs: POLL_MS, signal: patience });
      since = batch.nextBatch;
      for (const { sender, content } of batch.events) {
        if (sender === serverUser) missing.delete(Number(content['n']));
      }
    }
    over.abort();
  };
  const startMs = performance.now();
  const reading = Promise.allSettled(positions.map(({ session, nextBatch }) => read(session, nextBatch)));
  await send(load, (from, n) =>
    sendToDevice(from, { userId: serverUser, deviceId: '' }, TYPE, { n, device_id: from.deviceId }),
  );
  await reading;
  if (missing.size > 0) throw new Error(`${String(missing.size)} answers have not come`);
  return perSecond(load.count, startMs);
}

async function send(
  { senders, connections, count }: Load,
  sendOne: (from: Session, n: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const connection = async (_: unknown, index: number): Promise<void> => {
    const from = senders[index % senders.length];
    if (from === undefined) throw new Error('nobody sends');
    while (next < count) await sendOne(from, next++);
  };
  await Promise.all(Array.from({ length: connections }, connection));
}

function perSecond(count: number, startMs: number): number {
  return (count * 1000) / (performance.now() - startMs);
}

const TYPE = 'org.example.bench';
const POLL_MS = 30_000;
const PATIENCE_MS = 120_000;
