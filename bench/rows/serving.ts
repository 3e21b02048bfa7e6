/** What `serve` gets through: rows 10 to 12. */
import { newSession } from '../../test/interop/kit/homeserver.js';
import { synapsePython, SYNAPSE_VERSION } from '../../test/interop/kit/python.js';
import { startSynapse } from '../../test/interop/kit/synapse.js';
import { runBinary } from '../../test/kit/binary.js';
import { Stage } from '../../test/evidence/stage.js';
import { openHome, type Home } from '../home.js';
import { CONNECTIONS, loadRate, type LoadSession } from '../load.js';
import { script, wireProgram } from '../programs.js';
import { MissingProgram, type Pair, type Row } from '../row.js';
import { startServe, startServer, type Served } from '../serve.js';
import { startStranger } from '../stranger.js';

export const SERVING: readonly Row[] = [
  {
    id: '10',
    work: '`mx2s serve`: sendToDevice and sync, 8 connections',
    peer: 'Synapse, same client',
    compared: 'rate',
    reach: { at_least: 30 },
    rounds: 5,
    limit: {
      reason: 'It is two requests, and each of them costs about what row 11 says.',
    },
    isGuarded: false, // what it guards is half of row 11, and Synapse takes its time
    open: openAgainstSynapse,
  },
  {
    id: '11',
    work: '`mx2s serve`: sendToDevice requests, 8 connections',
    peer: '`node:http` that echoes',
    compared: 'rate',
    reach: { at_least: 0.5 },
    rounds: 7,
    limit: {
      who: 'fastify that does the same',
      reason:
        'Then there is the request itself: a body read as JSON without loss, a token hashed, an account found, an ID graded, ' +
        'a repeat known, a device woken, the headers that browsers want. A profile spreads 24 µs over all of it, 14 of ours and ' +
        "10 of Node's, where the echo takes 28 in all.",
    },
    isGuarded: true,
    open: openAgainstEcho,
  },
  {
    id: '12a',
    work: '`mx2s serve`: signed EDUs received, one a transaction, 8 connections',
    peer: 'bare Ed25519 verification, one thread of Node',
    compared: 'rate',
    reach: { at_least: 0.5 },
    rounds: 7,
    isGuarded: true,
    open: (stage) => openAgainstVerification(stage, []),
  },
  {
    id: '12b',
    work: 'the same',
    peer: "bare Ed25519 verification, all of Node's thread pool",
    compared: 'rate',
    reach: { at_least: 0.5 },
    rounds: 7,
    limit: {
      reason:
        'Signatures are verified on that pool, but requests are read, routed and answered on one thread (row 11), which has a ' +
        'processor to share with them, and the client another.',
    },
    isGuarded: false, // it is row 12a
    open: (stage) => openAgainstVerification(stage, ['pool']),
  },
];

async function openAgainstSynapse(stage: Stage): Promise<Pair> {
  const load = await wireProgram('load');
  const found = await synapsePython(process.env);
  if ('missing' in found) throw new MissingProgram(found.missing);
  const home = await openHome(stage);
  const { address } = stage.add(await startSynapse(found.python, { serverUser: false }), (each) =>
    each.stop(),
  );
  const users: LoadSession[] = [];
  while (users.length < CONNECTIONS) {
    const { userId, deviceId, accessToken } = await newSession(address);
    users.push({ user_id: userId, device_id: deviceId, access_token: accessToken });
  }
  const serve = await startServe(stage, home);
  const rate = (homeserver: string, send: readonly LoadSession[]) =>
    loadRate(load, home, { homeserver, work: { send, receive: true, ...TIME } });
  return {
    versions: { ...load.versions, Synapse: SYNAPSE_VERSION },
    ours: () => rate(serve.homeserver, serve.users),
    peer: () => rate(address.baseUrl, users),
  };
}

/** Nobody reads the messages, so each measurement has servers of its own, whose queues are empty. */
async function openAgainstEcho(stage: Stage): Promise<Pair> {
  const load = await wireProgram('load');
  const echo = await script('echo');
  const fastify = await script('fastify-echo', 'fastify');
  const home = await openHome(stage);
  const rate = async (start: (brief: Stage) => Promise<Pick<Served, 'homeserver' | 'users'>>) => {
    const brief = new Stage();
    try {
      const { homeserver, users } = await start(brief);
      return await loadRate(load, home, { homeserver, work: { send: users, receive: false, ...TIME } });
    } finally {
      await brief.close();
    }
  };
  const scriptRate = (path: string) =>
    rate(async (brief) => ({ ...(await startServer(brief, home, [path], 'node')), users: [ANYBODY] }));
  return {
    versions: { ...load.versions, ...fastify.versions },
    ours: () => rate((brief) => startServe(brief, home)),
    peer: () => scriptRate(echo.path),
    limit: () => scriptRate(fastify.path),
  };
}

async function openAgainstVerification(stage: Stage, flags: readonly string[]): Promise<Pair> {
  const load = await wireProgram('load');
  const verify = await script('ed25519-verify');
  const home = await openHome(stage);
  const stranger = await startStranger(stage);
  const {
    homeserver,
    server_name: serverName,
    users,
  } = await startServe(stage, home, ['--federation-insecure']);
  const [to = ANYBODY] = users;
  return {
    versions: load.versions,
    ours: () => {
      const replay = stranger.transactions(serverName, to, TRANSACTIONS);
      return loadRate(load, home, { homeserver, work: { replay } });
    },
    peer: () =>
      verificationRate([verify.path, String(4 * TRANSACTIONS), String(SIGNED_BYTES), ...flags], home),
  };
}

async function verificationRate(args: readonly string[], { HOME: home }: Home): Promise<number> {
  const { stdout } = await runBinary(args, { program: 'node', home });
  return (JSON.parse(stdout) as { per_second: number }).per_second;
}

/** Whom an echo knows. */
const ANYBODY: LoadSession = {
  user_id: '@user0:127.0.0.1:8008',
  device_id: 'AAAAAAAAAA',
  access_token: 'token',
};
const TIME = { warm_up_ms: 1000, ms: 3000 };
const TRANSACTIONS = 5000;
/** As long as what is signed of such a transaction. */
const SIGNED_BYTES = 470;
