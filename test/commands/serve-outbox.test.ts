/**
 * What is for another server is not lost, whatever happens to either of the two: `serve` as a process of its own,
 * killed without a word.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerResponse } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPeer, type Peer } from '../federation/peer.js';
import { AUTHORITY } from '../http/certificates.js';
import { json } from '../http/loopback-server.js';
import { runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { defined, tempDir, type Ready } from './serve-kit.js';

const TYPE = 'org.example.n';

interface Edu {
  readonly content: {
    readonly message_id: string;
    readonly messages: Readonly<Record<string, Readonly<Record<string, { readonly n: number }>>>>;
  };
}

/** Another server, which is down until it is told to be up. */
class Remote {
  isUp = false;
  /** Called with the number of a transaction that came while it was up, before it is taken; true to stay silent. */
  stayingSilent: (count: number) => boolean = () => false;
  /** How often a transaction came again, the same to the byte. */
  repeats = 0;
  /** Which came again as something else. */
  readonly #changed: string[] = [];
  readonly #transactions = new Map<string, string>();
  readonly #edus: Edu[] = [];
  #count = 0;
  #peer: Peer | undefined;
  #watchers: (() => void)[] = [];

  static async start(): Promise<Remote> {
    const remote = new Remote();
    remote.#peer = await startPeer(({ path, body }, response) => remote.#take(path, body, response));
    return remote;
  }

  get user(): string {
    return `@:${defined(this.#peer).name}`;
  }

  /** The numbers that it got, in order, once it has got so many. Each message once, by its ID. */
  async numbers(wanted: number): Promise<number[]> {
    const once = () => [...new Map(this.#edus.map((edu) => [edu.content.message_id, edu])).values()];
    while (once().length < wanted) await new Promise<void>((resolve) => this.#watchers.push(resolve));
    expect(this.#changed).toEqual([]);
    return once().map(({ content }) => defined(content.messages[this.user]?.['']).n);
  }

  #take(path: string, body: string, response: ServerResponse): void {
    if (!this.isUp) return void response.destroy();
    this.#count += 1;
    const known = this.#transactions.get(path);
    if (known === undefined) this.#edus.push(...(JSON.parse(body) as { edus: Edu[] }).edus);
    else if (known === body) this.repeats += 1;
    else this.#changed.push(path);
    this.#transactions.set(path, body);
    if (!this.stayingSilent(this.#count)) json(response, 200, { pdus: {} });
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

interface Sender {
  readonly process: RunningBinary;
  /** Sends numbers to the remote, in order, and resolves when all of them were accepted. */
  send(remote: Remote, from: number, to: number): Promise<void>;
}

async function openSenders(): Promise<() => Promise<Sender>> {
  const home = await tempDir();
  await writeFile(join(home, 'authority.pem'), AUTHORITY);
  const flags = [
    'serve',
    '--server-name',
    'example.org',
    '--data',
    'server.db',
    '--user',
    'alice',
    '--verbose',
  ];
  return async () => {
    const process = startBinary([...flags, '--federation-insecure'], { home });
    onTestFinished(() => process.stop());
    const ready = JSON.parse(await process.lineOf('stdout', /"ready":true/)) as Ready;
    return {
      process,
      async send(remote, from, to) {
        const lines = Array.from({ length: to - from }, (_, index) => `{"n":${String(from + index)}}\n`);
        const env = {
          MX2S_HOMESERVER: ready.homeserver,
          MX2S_ACCESS_TOKEN: defined(ready.users[0]).access_token,
        };
        const send = ['send', remote.user, '-t', TYPE, '--ndjson'];
        const { code, stdout } = await runBinary(send, { home, env, stdin: lines.join('') });
        expect([code, stdout.match(/"status":"accepted"/g)?.length]).toEqual([0, to - from]);
      },
    };
  };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

describe('a server that is down until 1,000 messages wait for it and three tries have failed', () => {
  it('gets all of them in order, once each', { timeout: 120_000 }, async () => {
    const remote = await Remote.start();
    const start = await openSenders();
    const { process, send } = await start();
    await send(remote, 0, 1000);
    await process.lineOf('stderr', /attempt 3/);
    remote.isUp = true;
    expect(await remote.numbers(1000)).toEqual(upTo(1000));
  });

  it('gets them also when the sender was killed in between', { timeout: 120_000 }, async () => {
    const remote = await Remote.start();
    const start = await openSenders();
    const first = await start();
    await first.send(remote, 0, 700);
    await first.process.lineOf('stderr', /attempt 3/);
    await first.process.stop();

    const second = await start();
    await second.send(remote, 700, 1000);
    await second.process.lineOf('stderr', /attempt 1/);
    remote.isUp = true;
    expect(await remote.numbers(1000)).toEqual(upTo(1000));
  });

  it('gets them also when the sender was killed while it sent', { timeout: 120_000 }, async () => {
    const remote = await Remote.start();
    const start = await openSenders();
    const first = await start();
    await first.send(remote, 0, 1000);
    await first.process.lineOf('stderr', /attempt 3/);
    remote.stayingSilent = (count) => count >= 4;
    remote.isUp = true;
    await remote.numbers(250); // which come with the fourth transaction: 1 and 3 times 100
    await first.process.stop();
    expect((await remote.numbers(0)).length).toBeLessThan(1000);

    remote.stayingSilent = () => false;
    const second = await start();
    await second.send(remote, 1000, 1001);
    expect(await remote.numbers(1001)).toEqual(upTo(1001));
    expect(remote.repeats).toBe(1);
  });
});
