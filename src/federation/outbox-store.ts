/** Where an outbox keeps what is not sent yet. What is in it outlives the process, if the store does. */
import type { ServerName } from '../ids/server-name.js';
import type { JsonText } from '../wire/json.js';

/** One queue of EDUs for each destination. */
export interface OutboxStore {
  /**
   * Puts EDUs at the end of a queue; resolves when they are kept. All of them or none.
   * @throws OutboxFullError when too much waits there already
   */
  append(destination: ServerName, edus: readonly JsonText[]): Promise<void>;
  /** The destinations whose queues are not empty. */
  destinations(): Promise<readonly ServerName[]>;
  /** The first EDUs of a queue, at most `maxEdus`, in the order in which they were put there. */
  head(destination: ServerName, maxEdus: number): Promise<OutboxHead>;
  /**
   * Remembers, before it is sent for the first time, that the first EDUs of a queue make a transaction: until it is
   * removed it is sent as it is, also by another process.
   */
  seal(destination: ServerName, transaction: SealedTransaction): Promise<void>;
  /** The transaction was taken: forgets it, and its EDUs. Does nothing if it is not the one that was sealed. */
  remove(destination: ServerName, txnId: string): Promise<void>;
}

export interface OutboxHead {
  readonly edus: readonly JsonText[];
  /** What was sealed and not removed. */
  readonly sealed: SealedTransaction | undefined;
}

export interface SealedTransaction {
  readonly txnId: string;
  readonly originServerTsMs: number;
  /** How many EDUs from the beginning of the queue; 1 to 100. */
  readonly eduCount: number;
}
