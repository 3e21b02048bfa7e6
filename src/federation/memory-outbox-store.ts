/** An outbox store that is gone with the process. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';
import type { OutboxStore, SealedTransaction } from './outbox-store.js';

export function openMemoryOutboxStore(): OutboxStore {
  const queues = new Map<ServerName, Queue>();
  return {
    async append(destination, edus) {
      const queue = queues.get(destination);
      if (queue === undefined) queues.set(destination, { edus: [...edus], sealed: undefined });
      else queue.edus.push(...edus);
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
      queue.edus.splice(0, queue.sealed.eduCount);
      queue.sealed = undefined;
      if (queue.edus.length === 0) queues.delete(destination);
    },
  };
}

interface Queue {
  readonly edus: JsonText[];
  sealed: SealedTransaction | undefined;
}
