/** Plays the server: answers what is sent to `@:server`, as a server that knows MSC4246 would. */
import { sendToDevice, syncOnce, type Session, type ToDeviceEvent } from './matrix.js';

export interface Responder {
  /** Ends the loop; rejects with what went wrong in it. */
  stop(): Promise<void>;
}

/** Answers each message with `answer(event)` to all devices of its sender, until stopped. */
export function startResponder(
  serverUser: Session,
  answer: (event: ToDeviceEvent) => { type: string; content: Record<string, unknown> },
): Responder {
  const over = new AbortController();
  const loop = async () => {
    let since: string | undefined;
    while (!over.signal.aborted) {
      const position = since === undefined ? { timeoutMs: 0 } : { timeoutMs: 30_000, since };
      const batch = await syncOnce(serverUser, { ...position, signal: over.signal });
      since = batch.nextBatch;
      for (const event of batch.events) {
        const { type, content } = answer(event);
        await sendToDevice(serverUser, { userId: event.sender, deviceId: '*' }, type, content);
      }
    }
  };
  const ended = loop().catch((error: unknown) => {
    if (!over.signal.aborted) throw error;
  });
  return {
    stop: () => {
      over.abort();
      return ended;
    },
  };
}
