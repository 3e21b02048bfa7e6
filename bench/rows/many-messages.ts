/** What a client gets through: rows 5 and 6. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BINARY } from '../../test/kit/binary.js';
import { mautrixPeer, script } from '../programs.js';
import type { Row } from '../row.js';
import { wallTimeMs, type Run } from '../shell.js';
import { SINK_USER, startSink, type Sink } from '../sink.js';

export const MANY_MESSAGES: readonly Row[] = [
  {
    id: '5',
    work: '`mx2s send --ndjson -j 8`, 20,000 messages to the sink',
    peer: 'mautrix-go, 8 workers',
    compared: 'rate',
    reach: { at_least: 1.2 },
    rounds: 7,
    limit: {
      who: "Node's own client, 8 requests at a time, with nothing around it,",
      reason:
        'Ours takes more than half as long again: content is read without loss and written canonically, has a transaction ID of its own, ' +
        'its answer is read, and a line says what came of it. undici is quicker in a long row, but compiles its parser in each ' +
        'process, for every `send`. A reader of answers of our own was the quickest, and was taken out again (ARCHITECTURE, ' +
        '"HTTP by Node\'s own client").',
    },
    isGuarded: true,
    open: async (stage) => {
      const mautrix = await mautrixPeer();
      const bare = await script('node-http-send');
      const sink = await startSink(stage);
      const stdin = join(sink.env.HOME, 'contents.ndjson');
      await writeFile(stdin, Array.from({ length: SENT }, (_, n) => `${contentOf(n)}\n`).join(''));
      const send = [BINARY, 'send', SINK_USER, '-t', 'org.example.bench', '--ndjson', '-j', '8'] as const;
      const peer = [mautrix.path, '-homeserver', sink.homeserver, '-workers', '8', 'send'] as const;
      return {
        versions: { ...mautrix.versions, ...sink.versions },
        ours: () => sendRate(sink, send, stdin),
        peer: () => sendRate(sink, peer, stdin),
        limit: () => sendRate(sink, ['node', bare.path], stdin),
      };
    },
  },
  {
    id: '6',
    work: '`mx2s listen --json --count 100000` from a backlog of the sink',
    peer: 'mautrix-go',
    compared: 'rate',
    reach: { at_least: 1 },
    rounds: 7,
    isGuarded: true,
    open: async (stage) => {
      const mautrix = await mautrixPeer();
      const sink = await startSink(stage, { backlog: READ });
      const count = String(READ);
      return {
        versions: { ...mautrix.versions, ...sink.versions },
        ours: () => listenRate(sink, [BINARY, 'listen', '--json', '--count', count]),
        peer: () =>
          listenRate(sink, [mautrix.path, '-homeserver', sink.homeserver, '-count', count, 'listen']),
      };
    },
  },
];

/** @throws Error when not every message has come, once */
async function sendRate(sink: Sink, command: Run['command'], stdin: string): Promise<number> {
  const before = await sink.taken();
  const elapsedMs = await wallTimeMs({ command, env: sink.env, stdin });
  const after = await sink.taken();
  for (const key of ['messages', 'transactions'] as const) {
    const came = after[key] - before[key];
    if (came !== SENT) throw new Error(`${command.join(' ')}: ${String(came)} ${key} came`);
  }
  return (SENT * 1000) / elapsedMs;
}

/** @throws Error when not every event was printed */
async function listenRate(sink: Sink, command: Run['command']): Promise<number> {
  const stdout = join(sink.env.HOME, 'events.ndjson');
  // a home that has stored no position
  const env = { ...sink.env, MX2S_CONFIG_DIR: join(sink.env.HOME, crypto.randomUUID()) };
  const elapsedMs = await wallTimeMs({ command, env, stdout });
  const lines = (await readFile(stdout, 'utf8')).split('\n').slice(0, -1);
  const isWhole = lines.length === READ && lines.at(-1)?.includes(`"n":${String(READ - 1)}`) === true;
  if (!isWhole) throw new Error(`${command.join(' ')} has printed ${String(lines.length)} lines`);
  return (READ * 1000) / elapsedMs;
}

function contentOf(n: number): string {
  return JSON.stringify({ n, example_content: 'value' });
}

const SENT = 20_000;
const READ = 100_000;
