/** A NATS server for a test, and services that answer on it. */
import { connect, credsAuthenticator, type Msg } from '@nats-io/transport-node';
import { onTestFinished } from 'vitest';
import type { NatsProgram } from './nats-program.js';
import { openNatsServer, type NatsServer } from './nats-server.js';

/** Starts a server, which goes with the test. `configuration` is its file's text; without it anybody may do anything. */
export async function startNatsServer(program: NatsProgram, configuration?: string): Promise<NatsServer> {
  const server = await openNatsServer(program, configuration);
  onTestFinished(() => server.stop());
  return server;
}

export interface ServiceOptions {
  readonly credentials?: string;
  /** The queue group that shares the requests. */
  readonly queue?: string;
}

export interface Service {
  /** Ends its connection, whatever it has to answer. */
  kill(): Promise<void>;
}

/** Answers requests to `subject` until the test is over, or the server is gone. */
export async function startService(
  { address }: NatsServer,
  subject: string,
  answer: (message: Msg) => void,
  { credentials, queue }: ServiceOptions = {},
): Promise<Service> {
  const connection = await connect({
    servers: address,
    reconnect: false,
    ...(credentials === undefined
      ? {}
      : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
  });
  onTestFinished(() => connection.close());
  connection.subscribe(subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (_error, message) => answer(message),
  });
  await connection.flush();
  return { kill: () => connection.close() };
}
