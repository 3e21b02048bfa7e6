/** How the gateway fares, for those who watch over it: over HTTP, on loopback only. */
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.js';
import { UsageError } from '../errors.js';
import { missingFor, renderMetrics, type Metrics } from './metrics.js';

export interface Health {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Answers on `port` (0 for any): `/live` while the process is, `/ready` while the homeserver, and NATS where it
 * takes part in a queue group, answer and no handler is known to be out of reach (503 with the reason when not),
 * `/metrics` for Prometheus.
 *
 * @throws UsageError when it cannot listen there
 */
export async function openHealth(port: number, metrics: Metrics, clock: Pick<Clock, 'now'>): Promise<Health> {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    const { status, type, body } = answerTo(request.url ?? '', metrics, clock.now());
    response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new UsageError(`cannot listen on 127.0.0.1:${port}: ${cause.code ?? cause.message}`, {
          hint: 'choose another --health-port; 0 takes any free one',
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface HealthAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

function answerTo(target: string, metrics: Metrics, nowMs: number): HealthAnswer {
  switch (target.split('?')[0]) {
    case '/live':
      return { status: 200, type: TEXT, body: 'live\n' };
    case '/ready':
      return ready(missingFor(metrics));
    case '/metrics':
      return { status: 200, type: `${TEXT}; version=0.0.4`, body: renderMetrics(metrics, nowMs) };
    default:
      return { status: 404, type: TEXT, body: 'there are /live, /ready and /metrics\n' };
  }
}

function ready(missing: string | undefined): HealthAnswer {
  return missing === undefined
    ? { status: 200, type: TEXT, body: 'ready\n' }
    : { status: 503, type: TEXT, body: `${missing}\n` };
}

const TEXT = 'text/plain; charset=utf-8';
