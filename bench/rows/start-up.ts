/** What a shell waits for each time: rows 1 to 4. */
import { BINARY } from '../../test/kit/binary.js';
import { openHome } from '../home.js';
import { bundledScript, curl, script } from '../programs.js';
import type { Row } from '../row.js';
import { wallTimeMs, type Run } from '../shell.js';
import { SINK_USER, startSink, type Sink } from '../sink.js';
import { compiled, standalone } from '../standalone.js';

export const START_UP: readonly Row[] = [
  {
    id: '1a',
    work: '`mx2s --version`, npm package',
    peer: '`node -e 0`',
    compared: 'wall time',
    reach: { at_most: 1.3 },
    rounds: 15,
    isGuarded: true,
    open: againstBareNode(['--version']),
  },
  {
    id: '1b',
    work: '`mx2s validate-id` of one ID, npm package',
    peer: '`node -e 0`',
    compared: 'wall time',
    reach: { at_most: 1.3 },
    rounds: 15,
    limit: {
      who: 'commander alone, bundled, with two flags and a line of output,',
      reason:
        'That leaves a millisecond or two of 1.3; to read and compile the grammars, and to grade an ID, takes about five.',
    },
    isGuarded: true,
    open: async (stage) => {
      const pair = await againstBareNode(['validate-id', '@:example.org'])(stage);
      const env = await openHome(stage);
      const commander = await bundledScript('commander', env.HOME);
      const command = ['node', commander, '@:example.org'] as const;
      return { ...pair, limit: () => wallTimeMs({ command, env, times: TIMES }) };
    },
  },
  {
    id: '1c',
    work: '`$(mx2s --version)`, npm package',
    peer: '`$(node -e 0)`',
    compared: 'wall time',
    reach: { at_most: 1.3 },
    rounds: 15,
    limit: {
      who: 'A script that prints this line and does nothing else',
      reason:
        "To a pipe Node's own stream is needed, which takes some milliseconds to open; a write without it could wait for the " +
        'reader and hear no signal meanwhile. The rest is row 1a.',
    },
    isGuarded: true,
    open: async (stage) => {
      const env = await openHome(stage);
      const print = await script('print');
      const timeMs = (command: Run['command']) =>
        wallTimeMs({ command, env, times: TIMES, isCaptured: true });
      return {
        ours: () => timeMs([BINARY, '--version']),
        peer: () => timeMs(BARE_NODE),
        limit: () => timeMs(['node', print.path]),
      };
    },
  },
  {
    id: '2a',
    work: 'one `mx2s send` to the sink, npm package',
    peer: '`node -e 0`',
    compared: 'wall time',
    reach: { at_most: 2.5 },
    rounds: 15,
    isGuarded: true,
    open: againstBareNodeSending(false),
  },
  {
    id: '2b',
    work: '`$(mx2s send …)`, one message to the sink, npm package',
    peer: '`$(node -e 0)`',
    compared: 'wall time',
    reach: { at_most: 2.5 },
    rounds: 15,
    limit: {
      who: "Node's own client, with nothing around it but a line of output,",
      reason:
        'What is ours is loaded and run in 20 ms: flags, a message that is checked, an answer that is read, retries that were not ' +
        'needed. None of it is warm in a process that sends one message.',
    },
    isGuarded: true,
    open: againstBareNodeSending(true),
  },
  {
    id: '3',
    work: 'one `mx2s send` to the sink, standalone executable',
    peer: 'curl',
    compared: 'wall time',
    reach: { at_most: 2 },
    rounds: 15,
    limit: {
      who: "A script that sends the same with Node's client, compiled by the same Bun,",
      reason:
        'That leaves nothing for flags, a message that is checked and an answer that is read, which take 6 to 9 ms. Bun has another ' +
        'client of its own, `fetch`; with it the executable would reach servers by another way than the package, with other ' +
        'rules for certificates, proxies and limits.',
    },
    isGuarded: true,
    open: async (stage) => {
      const ours = await standalone();
      const peer = await curl();
      const sink = await startSink(stage);
      const once = await compiled('node-http-once', sink.env.HOME);
      return {
        limit: () => sendTimeMs(sink, [once]),
        versions: { ...ours.versions, ...peer.versions, ...sink.versions },
        ours: () => sendTimeMs(sink, [ours.path, ...SEND]),
        peer: () => sendTimeMs(sink, [peer.path, ...curlArgs(sink)]),
      };
    },
  },
  {
    id: '4',
    work: 'one `mx2s send` to the sink, npm package',
    peer: 'matrix-js-sdk, a script',
    compared: 'wall time',
    reach: { at_most: 0.4 },
    rounds: 11,
    isGuarded: true,
    open: async (stage) => {
      const sdk = await script('matrix-js-sdk', 'matrix-js-sdk');
      const sink = await startSink(stage);
      return {
        versions: { ...sdk.versions, ...sink.versions },
        ours: () => sendTimeMs(sink, [BINARY, ...SEND]),
        peer: () => sendTimeMs(sink, ['node', sdk.path]),
      };
    },
  },
];

/** @param isCaptured is stdout read by the shell? */
function againstBareNodeSending(isCaptured: boolean): Row['open'] {
  return async (stage) => {
    const sink = await startSink(stage);
    const once = await script('node-http-once');
    return {
      versions: sink.versions,
      ours: () => sendTimeMs(sink, [BINARY, ...SEND], isCaptured),
      peer: () => wallTimeMs({ command: BARE_NODE, env: sink.env, times: TIMES, isCaptured }),
      limit: () => sendTimeMs(sink, ['node', once.path], isCaptured),
    };
  };
}

function againstBareNode(args: readonly string[]): Row['open'] {
  return async (stage) => {
    const env = await openHome(stage);
    return {
      ours: () => wallTimeMs({ command: [BINARY, ...args], env, times: TIMES }),
      peer: () => wallTimeMs({ command: BARE_NODE, env, times: TIMES }),
    };
  };
}

/** @throws Error when not every run has sent a message */
async function sendTimeMs(sink: Sink, command: Run['command'], isCaptured = false): Promise<number> {
  const before = await sink.taken();
  const elapsedMs = await wallTimeMs({ command, env: sink.env, times: TIMES, isCaptured });
  const sent = (await sink.taken()).messages - before.messages;
  if (sent !== TIMES) throw new Error(`${command.join(' ')} has sent ${String(sent)} messages`);
  return elapsedMs;
}

function curlArgs({ homeserver, env }: Sink): string[] {
  const headers = [
    `Authorization: Bearer ${String(env['MX2S_ACCESS_TOKEN'])}`,
    'Content-Type: application/json',
  ];
  return [
    '--silent',
    '--show-error',
    '--fail',
    ...['--request', 'PUT'],
    ...headers.flatMap((header) => ['--header', header]),
    ...['--data', JSON.stringify({ messages: { [SINK_USER]: { '': JSON.parse(CONTENT) as unknown } } })],
    `${homeserver}/_matrix/client/v3/sendToDevice/org.example.bench/1`,
  ];
}

/** Runs in one measurement: enough that the shell around them counts for little. */
const TIMES = 5;
const BARE_NODE: Run['command'] = ['node', '-e', '0'];
const CONTENT = '{"example_content":"value"}';
const SEND = ['send', SINK_USER, '-t', 'org.example.bench', '-d', CONTENT];
