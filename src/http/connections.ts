/** All connections of one transport: those that are being made, those in use, those that wait for another use. */
import { CutOffError } from './answer-reader.js';
import { Connection } from './connection.js';
import { openSocket, type Peer, type Trust } from './open-socket.js';

/** It took too long to connect; Node has the same code for it. */
export class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

export class Connections {
  readonly #trust: () => Trust;
  /** By the key of their peer. */
  readonly #idle = new Map<string, Connection[]>();
  /** How to end each that there is, or is being made. */
  readonly #ends = new Set<() => void>();
  #isClosed = false;

  /** @param trust asked for each connection with TLS */
  constructor(trust: () => Trust) {
    this.#trust = trust;
  }

  /** One that waits, if there is one. */
  takeIdle({ key }: Peer): Connection | undefined {
    for (let last = this.#idle.get(key)?.pop(); last !== undefined; last = this.#idle.get(key)?.pop()) {
      if (last.isIdle) return last;
      last.destroy();
    }
    return undefined;
  }

  /** Takes back one whose exchange is over. */
  giveBack({ key }: Peer, connection: Connection): void {
    if (!connection.isIdle) return;
    const others = this.#idle.get(key);
    if (others === undefined) this.#idle.set(key, [connection]);
    else others.push(connection);
  }

  /** @throws ConnectTimeout; what `openSocket` throws */
  async open(peer: Peer, signal: AbortSignal): Promise<Connection> {
    if (this.#isClosed) throw new CutOffError();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal.reason);
    const endOpening = (): void => stop.abort(new CutOffError());
    const timer = setTimeout(() => stop.abort(new ConnectTimeout()), CONNECT_TIMEOUT_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    this.#ends.add(endOpening);
    try {
      const socket = await openSocket(peer, this.#trust, stop.signal);
      const connection = new Connection(socket);
      const end = (): void => connection.destroy();
      this.#ends.add(end);
      socket.once('close', () => {
        this.#ends.delete(end);
        this.#forget(peer, connection);
      });
      return connection;
    } finally {
      this.#ends.delete(endOpening);
      signal.removeEventListener('abort', onAbort);
      clearTimeout(timer);
    }
  }

  /** Ends every connection, also those in use; none is made any more. */
  close(): void {
    this.#isClosed = true;
    for (const end of this.#ends) end();
  }

  #forget({ key }: Peer, connection: Connection): void {
    const others = this.#idle.get(key)?.filter((each) => each !== connection) ?? [];
    if (others.length === 0) this.#idle.delete(key);
    else this.#idle.set(key, others);
  }
}

const CONNECT_TIMEOUT_MS = 10_000;
