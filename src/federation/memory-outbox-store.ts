/** An outbox store that is gone with the process. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import { NOTHING_WAITS, OUTBOX_LIMITS, sizeOf, sizeWith, type OutboxSize } from './outbox-limits.js';
import type { OutboxStore, SealedTransaction } from './outbox-store.js';

export interface MemoryOutboxStore extends OutboxStore {
  /** Puts EDUs at the end of several queues: all of them or none. @throws OutboxFullError */
  put(outgoing: ReadonlyMap<ServerName, readonly JsonText[]>): void;
}

export function openMemoryOutboxStore(limits = OUTBOX_LIMITS): MemoryOutboxStore {
  const queues = new Map<ServerName, Queue>();
  function put(outgoing: ReadonlyMap<ServerName, readonly JsonText[]>): void {
    const grown = [...outgoing].map(([destination, edus]) => {
      const queue = queues.get(destination) ?? { edus: [], size: NOTHING_WAITS, sealed: undefined };
      return { destination, edus, queue, size: sizeWith(queue.size, edus, destination, limits) };
    });
    for (const { destination, edus, queue, size } of grown) {
      if (edus.length === 0) continue;
      queue.edus.push(...edus);
      queue.size = size;
      queues.set(destination, queue);
    }
  }
  return {
    put,
    async append(destination, edus) {
      put(new Map([[destination, edus]]));
    },
    async destinations() {
      return [...queues.keys()];
    },
    async head(destination, maxEdus) {
      const queue = queues.get(destination);
      return { edus: queue?.edus.slice(0, maxEdus) ?? [], sealed: queue?.sealed };
    },
    async seal(destination, transaction) {
      const queue = queues.get(destination);
      if (queue !== undefined) queue.sealed = transaction;
    },
    async remove(destination, txnId) {
      const queue = queues.get(destination);
      if (queue?.sealed?.txnId !== txnId) return;
      const { eduCount, bytes } = sizeOf(queue.edus.splice(0, queue.sealed.eduCount));
      queue.size = { eduCount: queue.size.eduCount - eduCount, bytes: queue.size.bytes - bytes };
      queue.sealed = undefined;
      if (queue.edus.length === 0) queues.delete(destination);
    },
  };
}

interface Queue {
  readonly edus: JsonText[];
  size: OutboxSize;
  sealed: SealedTransaction | undefined;
}
