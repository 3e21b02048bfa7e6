/** What goes over the wire while a probe is at work: counted, and kept for who wants to see what decided. */
import type { ClientApi } from '../client/api.js';
import type { HttpRequest } from '../http/request.js';
import { openTrace, secretsOfRequest, strikeSecrets } from '../http/trace.js';
import type { Transport } from '../http/transport.js';
import type { JsonText } from '../wire/json.js';

export class WireRecord {
  readonly #runId: string;
  readonly #secrets = new Set<string>();
  #lines: string[] = [];
  #requests = 0;

  /** @param runId what all messages of this run hold: a sync without any is not kept */
  constructor(runId: string) {
    this.#runId = runId;
  }

  /** How many requests went out in all. */
  get requests(): number {
    return this.#requests;
  }

  /** A transport that does as `transport` does, and is recorded. */
  around(transport: Transport): Transport {
    return {
      exchange: async (request, signal) => {
        this.#requests += 1;
        const lines: string[] = [];
        const secrets = secretsOfRequest(request);
        for (const secret of secrets) this.#secrets.add(secret);
        const trace = openTrace((line) => lines.push(strikeSecrets(line, secrets)));
        trace.request(request, {});
        try {
          const answer = await transport.exchange(request, signal);
          trace.answer({ ...answer, headers: {} });
          if (!isSync(request) || answer.body.includes(this.#runId)) this.#keep(lines);
          return answer;
        } catch (error) {
          trace.failure(error);
          this.#keep(lines);
          throw error;
        }
      },
      close: () => transport.close(),
    };
  }

  /** The same API, whose answers repeat no secret that went over the wire: probes tell what they have seen. */
  discreet({ baseUrl, call }: ClientApi): ClientApi {
    return {
      baseUrl,
      call: async (...asked) => {
        const answer = await call(...asked);
        return { ...answer, body: strikeSecrets(answer.body, this.#secrets) };
      },
    };
  }

  /** Keeps what another server sent, if it is of this run. */
  heard(edu: JsonText): void {
    if (edu.includes(this.#runId)) this.#keep([`< ${edu}`]);
  }

  /** What was kept since the last time: `>` went out, `<` came in, secrets struck out. */
  take(): readonly string[] {
    return this.#lines.splice(0);
  }

  /** A probe that loops must not fill memory. */
  #keep(lines: readonly string[]): void {
    if (this.#lines.length < MAX_LINES) this.#lines.push(...lines);
  }
}

function isSync({ url }: HttpRequest): boolean {
  return new URL(url).pathname.endsWith('/sync');
}

const MAX_LINES = 200;
