/** One connection to a server: any number of exchanges on it, one after the other. */
import type { Socket } from 'node:net';
import { AnswerReader, CutOffError, type AnswerSink } from './answer-reader.js';

export interface ExchangeSink extends AnswerSink {
  /** The answer is complete; the connection can be used again if it says so. */
  onEnd(): void;
  /** No complete answer came, and none will. */
  onError(cause: unknown): void;
}

export class Connection {
  readonly #socket: Socket;
  #current: { readonly reader: AnswerReader; readonly sink: ExchangeSink } | undefined;
  #error: unknown;
  #idleUntilMs: number | undefined;

  /** @param socket that is connected, TLS included */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes: Buffer) => this.#push(bytes));
    socket.on('end', () => this.#finish((reader) => reader.end()));
    socket.on('error', (error) => (this.#error = error));
    socket.on('close', () => this.#fail(this.#error ?? new CutOffError()));
  }

  /** Can it be used for another exchange? */
  get isIdle(): boolean {
    return this.#idleUntilMs !== undefined && performance.now() < this.#idleUntilMs && this.#socket.writable;
  }

  /** Sends a request, on a connection that is new or idle. `head` is ASCII. */
  exchange(method: string, head: string, body: string | undefined, sink: ExchangeSink): void {
    this.#idleUntilMs = undefined;
    this.#current = { reader: new AnswerReader(method, sink), sink };
    this.#socket.ref();
    this.#socket.write(head + (body ?? ''));
  }

  /** Ends it at once. What is under way fails. */
  destroy(): void {
    this.#socket.destroy();
  }

  #push(bytes: Buffer): void {
    // nothing was asked
    if (this.#current === undefined) this.#socket.destroy();
    this.#finish((reader) => reader.push(bytes));
  }

  /** Lets the reader read, and ends the exchange if that was its end. */
  #finish(read: (reader: AnswerReader) => void): void {
    if (this.#current === undefined) return;
    const { reader, sink } = this.#current;
    try {
      read(reader);
    } catch (error) {
      this.#fail(error);
      this.#socket.destroy();
      return;
    }
    if (!reader.isDone) return;
    this.#current = undefined;
    this.#rest(reader);
    sink.onEnd();
  }

  /** Waits for the next exchange, if server and request allow it. */
  #rest({ keepsAlive, keepAliveMs }: AnswerReader): void {
    // an answer that came before the whole request had left says nothing about the rest of that request
    if (!keepsAlive || this.#socket.writableLength > 0) {
      this.#socket.destroy();
      return;
    }
    const idleMs = keepAliveMs === undefined ? IDLE_MS : keepAliveMs - KEEP_ALIVE_MARGIN_MS;
    this.#idleUntilMs = performance.now() + Math.min(idleMs, MAX_IDLE_MS);
    this.#socket.unref(); // to wait here is no reason for the process to live on
  }

  #fail(cause: unknown): void {
    const { sink } = this.#current ?? {};
    this.#current = undefined;
    sink?.onError(cause);
  }
}

/** Servers close what is idle, and a request on its way then is lost: better not to use it shortly before. */
const IDLE_MS = 4000;
const KEEP_ALIVE_MARGIN_MS = 1000;
const MAX_IDLE_MS = 600_000;
