/** What a message costs when there is more and more of something. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { ServerName } from '../../src/ids/server-name.js';
import type { DeviceId } from '../../src/ids/device-id.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { readBatch } from '../../src/server/inbox.js';
import { openHomeserver, type OpenHomeserver } from '../../src/server/open.js';
import type { DeviceRef, Store } from '../../src/store/store.js';
import { jsonTextOf } from '../../src/wire/json.js';
import { median } from '../statistics.js';

/** Of what there is more and more. */
export interface Growth {
  readonly name: 'messages' | 'devices' | 'users';
  readonly words: string;
  /** Adds the `index`th; messages are measured on the device that is given. */
  add(open: OpenHomeserver, device: DeviceRef, index: number): Promise<void>;
}

export interface Curve {
  readonly growth: Growth;
  readonly store: string;
  readonly points: readonly Point[];
  /** Why there is no more, where a size was not reached. */
  readonly ended: string | undefined;
}

export interface Point {
  readonly size: number;
  /** Microseconds of processor time to accept a message, read it and forget it; the median of some rounds. */
  readonly us: number;
}

export const GROWTHS: readonly Growth[] = [
  {
    name: 'messages',
    words: 'messages that wait in the queue of the device',
    add: (open, device, index) => accept(open, device, `fill-${String(index)}`),
  },
  {
    name: 'devices',
    words: 'devices of the user',
    add: ({ home }, { userId }, index) => addDevice(home.store, { userId, deviceId: idOf(index) }),
  },
  {
    name: 'users',
    words: 'users of the server',
    async add({ home }, _device, index) {
      const userId = parseUserId(`@user${String(index)}:${SERVER}`);
      await home.store.createAccount({ userId, passwordHash: undefined });
      await addDevice(home.store, { userId, deviceId: idOf(index) });
    },
  },
];

/** Each size begins where the last one ended; filling ends when it takes too long, and says so. */
export async function measureGrowth(
  growth: Growth,
  storeName: string,
  openStore: (name: string) => Store | Promise<Store>,
  say: (line: string) => void,
): Promise<Curve> {
  const open = await openHomeserver('127.0.0.1:8008', {
    serverName: SERVER,
    store: await openStore(growth.name),
    users: [{ name: 'alice' }],
  });
  try {
    const [device] = open.users;
    if (device === undefined) throw new Error('there is nobody');
    const points: Point[] = [];
    const untilMs = performance.now() + FILLING_MS;
    let filled = 0;
    for (let n = 0; n < ROUNDS; n += 1) await round(open, device, `warm-up-${String(n)}`);
    for (const size of SIZES) {
      for (; filled < size && performance.now() < untilMs; filled += 1)
        await growth.add(open, device, filled);
      if (filled < size) {
        return { growth, store: storeName, points, ended: `not filled beyond ${String(filled)} in time` };
      }
      collectGarbage(); // that of filling is not what a message costs
      const costs: number[] = [];
      for (let n = 0; n < ROUNDS; n += 1)
        costs.push(await round(open, device, `${String(size)}-${String(n)}`));
      points.push({ size, us: median(costs) });
      say(`${growth.name}, ${storeName}: ${String(size)}: ${median(costs).toFixed(1)} µs`);
    }
    return { growth, store: storeName, points, ended: undefined };
  } finally {
    await open.close();
  }
}

/** As many messages go as come, so that as many wait afterwards as before. */
async function round(open: OpenHomeserver, device: DeviceRef, name: string): Promise<number> {
  const before = process.cpuUsage();
  for (let n = 0; n < MESSAGES; n += 1) await accept(open, device, `${name}-${String(n)}`);
  let since: string | undefined;
  for (let read = 0; read < MESSAGES;) {
    const batch = await readBatch(open.home, device, { since, limit: LIMIT, waitMs: 0, call: NEVER_GONE });
    read += batch.events.length;
    since = batch.nextBatch;
  }
  await readBatch(open.home, device, { since, limit: 0, waitMs: 0, call: NEVER_GONE });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / MESSAGES;
}

function accept({ home }: OpenHomeserver, from: DeviceRef, name: string): Promise<void> {
  const messages = new Map([[from.userId, new Map([[from.deviceId, CONTENT]])]]);
  const path = `/_matrix/client/v3/sendToDevice/org.example.scale/${name}`;
  return home.delivery.accept({ from, type: 'org.example.scale', messages, path });
}

function addDevice(store: Store, device: DeviceRef): Promise<void> {
  const tokens = {
    accessTokenHash: `${device.userId} ${device.deviceId}`,
    expiresTs: undefined,
    refreshTokenHash: undefined,
  };
  return store.openSession({ ...device, displayName: undefined }, tokens, { revokeOthers: false });
}

/** V8 shows its collector to those who ask for it only. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

function idOf(index: number): DeviceId {
  return `DEVICE${String(index)}` as DeviceId;
}

const SERVER: ServerName = parseServerName('scale.example');
const CONTENT = jsonTextOf({ example_content: 'value' });
const NEVER_GONE = { signal: new AbortController().signal };
const SIZES = [100, 1000, 10_000, 100_000, 1_000_000];
const MESSAGES = 2000;
const LIMIT = 100;
const ROUNDS = 5;
const FILLING_MS = 60_000;
