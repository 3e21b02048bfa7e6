/**
 * All connections of one transport: Node's own agent, which keeps those that wait for another use, over sockets that we
 * open.
 */
import { Agent, type ClientRequest, type RequestOptions } from 'node:http';
import type { Duplex } from 'node:stream';
import { CutOffError, openSocket, type Peer, type Trust } from './open-socket.js';

/** What a request tells the agent. */
export interface PeerRequestOptions extends RequestOptions {
  readonly peer: Peer;
  readonly caller: Caller;
  /** Nothing for the agent to find out: the peer knows it. */
  readonly servername: '';
}

/** Who waits for a connection. */
export interface Caller {
  /** Told that one is being made, and how to give up on it: the error that is aborted with is the request's. */
  onConnecting(stop: AbortController): void;
}

/** It took too long to connect; Node has the same code for it. */
export class ConnectTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

/** Takes requests with `PeerRequestOptions`, and no others. */
export class Connections extends Agent {
  readonly #trust: Trust;
  readonly #opening = new Set<AbortController>();
  #isClosed = false;

  constructor(trust: Trust) {
    super({ keepAlive: true, scheduling: 'lifo', timeout: IDLE_MS, keepAliveMsecs: KERNEL_ASKS_AFTER_MS });
    this.#trust = trust;
  }

  /** Ends every connection, also those in use; none is made any more. */
  close(): void {
    this.#isClosed = true;
    for (const stop of this.#opening) stop.abort(new CutOffError());
    this.destroy();
  }

  /** Which connections can stand in for each other. */
  override getName(options: PeerRequestOptions): string {
    return options.peer.key;
  }

  /** Fails with ConnectTimeout, and with what `openSocket` throws. */
  override createConnection(
    { peer, caller }: PeerRequestOptions,
    callback: (error: Error | null, socket?: Duplex) => void,
  ): undefined {
    this.#open(peer, caller).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error as Error),
    );
  }

  override keepSocketAlive(socket: Duplex): boolean {
    const canBeKept: unknown = super.keepSocketAlive(socket); // a boolean, if its type does not say so
    if (canBeKept !== true) return false;
    socket.on('data', hangUp); // nothing was asked, and it must not be taken for the next answer
    return true;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    socket.off('data', hangUp);
    super.reuseSocket(socket, request);
  }

  async #open(peer: Peer, caller: Caller): Promise<Duplex> {
    if (this.#isClosed) throw new CutOffError();
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new ConnectTimeout()), CONNECT_TIMEOUT_MS);
    this.#opening.add(stop);
    caller.onConnecting(stop);
    try {
      return await openSocket(peer, this.#trust, stop.signal);
    } finally {
      this.#opening.delete(stop);
      clearTimeout(timer);
    }
  }
}

function hangUp(this: Duplex): void {
  this.destroy();
}

/** Servers close what is idle, and a request on its way then is lost: better not to use it shortly before. */
const IDLE_MS = 4000;
const KERNEL_ASKS_AFTER_MS = 60_000;
const CONNECT_TIMEOUT_MS = 10_000;
