/**
 * How many to-device messages a Dendrite loses that is stopped (SIGTERM) and started again while one user sends 500 to
 * another: no mx2s in between. `[N]` restarts, by default 10; each is a line.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { startDendrite, type Dendrite } from '../kit/dendrite.js';
import { dendriteProgram } from '../kit/dendrite-program.js';
import { newSession } from '../kit/homeserver.js';
import { call, syncOnce, type Session } from '../kit/matrix.js';

export async function measure([restarts = '10']: readonly string[]): Promise<void> {
  const dendrite = await startDendrite(await dendriteProgram(process.env));
  try {
    for (let nth = 1; nth <= Number(restarts); nth++) {
      process.stdout.write(`${JSON.stringify({ restart: nth, ...(await restartOnce(dendrite)) })}\n`);
    }
  } finally {
    await dendrite.stop();
  }
}

async function restartOnce(
  dendrite: Dendrite,
): Promise<{ lost: number; doubled: number; skipped: string[] }> {
  const sender = await newSession(dendrite.address);
  const receiver = await newSession(dendrite.address);
  const heard = new Map<unknown, number>();
  /** Batches that told of nothing and moved on: what lies between was never told. */
  const skipped: string[] = [];
  let { nextBatch } = await syncOnce(receiver, { timeoutMs: 0 });
  let sent = 0;
  let heardMs = Date.now();

  const receive = async (): Promise<void> => {
    const isQuiet = (): boolean => sent === COUNT && Date.now() - heardMs > QUIET_MS;
    while (heard.size < COUNT && !isQuiet()) {
      const since = nextBatch;
      const batch = await retried(() => syncOnce(receiver, { timeoutMs: 10_000, since }));
      nextBatch = batch.nextBatch;
      if (batch.events.length > 0) heardMs = Date.now();
      else if (nextBatch !== since) skipped.push(`${since} to ${nextBatch}`);
      for (const { content } of batch.events) heard.set(content['n'], (heard.get(content['n']) ?? 0) + 1);
    }
  };
  let next = 0;
  const send = async (): Promise<void> => {
    while (next < COUNT) {
      await sendNumber(sender, receiver, next++);
      sent += 1;
    }
  };

  const work = Promise.all([receive(), ...Array.from({ length: IN_FLIGHT }, send)]);
  while (heard.size < COUNT / 3) await wait(1);
  await dendrite.halt();
  await dendrite.resume();
  await work;
  const total = [...heard.values()].reduce((sum, times) => sum + times, 0);
  return { lost: COUNT - heard.size, doubled: total - heard.size, skipped };
}

/** Under one transaction ID until it is taken. */
async function sendNumber({ baseUrl, accessToken }: Session, to: Session, n: number): Promise<void> {
  const url = `${baseUrl}/_matrix/client/v3/sendToDevice/org.example.event/${crypto.randomUUID()}`;
  const body = { messages: { [to.userId]: { [to.deviceId]: { n } } } };
  await retried(() => call('PUT', url, { token: accessToken, body }));
}

async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch {
      await wait(50);
    }
  }
}

const COUNT = 500;
const IN_FLIGHT = 8;
/** Longer than the half minute after which Dendrite tries again to store what it could not. */
const QUIET_MS = 40_000;
