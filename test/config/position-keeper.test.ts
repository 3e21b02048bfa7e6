import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PositionKeeper } from '../../src/config/position-keeper.js';
import { readPosition, type Position } from '../../src/config/position.js';
import { DiskError } from '../../src/errors.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { ManualClock } from '../listen/kit.js';

let place: TempDir;
let path: string;
let clock: ManualClock;
let keeper: PositionKeeper;
beforeEach(async () => {
  place = await makeTempDir();
  path = join(place.path, 'state', 'position.json');
  clock = new ManualClock();
  keeper = new PositionKeeper(path, clock);
});
afterEach(() => place.remove());

async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  await setImmediate(); // who slept goes on
}

const after = (n: number): Position => ({ api: 'v3', since: `s${String(n)}`, consumed: 0 });
const stored = (): string | undefined => readPosition(path)?.since;

describe('PositionKeeper', () => {
  it('stores the first step at once, and those that follow soon together', async () => {
    keeper.store(after(1));
    expect(stored()).toBe('s1');
    keeper.store(after(2));
    keeper.store(after(3));
    expect(stored()).toBe('s1');
    await pass(100);
    expect(stored()).toBe('s3');
  });

  it('stores a step at once after a pause', async () => {
    keeper.store(after(1));
    await pass(100);
    keeper.store(after(2));
    expect(stored()).toBe('s2');
  });

  it('stores again and again while steps come', async () => {
    keeper.store(after(1));
    for (const [n, expected] of [
      [2, 's2'],
      [3, 's3'],
      [4, 's4'],
    ] as const) {
      keeper.store(after(n));
      await pass(100);
      expect(stored()).toBe(expected);
    }
  });

  it('leaves no place inside a batch on disk when the batch is left', () => {
    const inside = (n: number): Position => ({ api: 'v3', since: `s${String(n)}`, consumed: 1, digest: 'd' });
    keeper.store(inside(1));
    keeper.store(after(2));
    expect(readPosition(path)).toEqual(after(2));
    keeper.store(inside(2));
    keeper.store(after(3));
    expect(readPosition(path)).toEqual(after(2));
  });

  it('stores what waits when it is closed, and nothing after that', async () => {
    keeper.store(after(1));
    keeper.store(after(2));
    keeper.close();
    expect(stored()).toBe('s2');
    await rm(dirname(path), { recursive: true });
    await pass(100);
    expect(stored()).toBeUndefined();
  });

  it('stores without delay where that is asked for', () => {
    keeper.store(after(1));
    keeper.store(after(2));
    keeper.storeAtOnce(after(3));
    expect(stored()).toBe('s3');
  });

  it('stores what waits when it is closed, where the disk had failed and is well again', async () => {
    keeper.store(after(1));
    keeper.store(after(2));
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), '');
    await pass(100);
    await rm(dirname(path));
    keeper.close();
    expect(stored()).toBe('s2');
  });

  it.each<[string, (keeper: PositionKeeper) => void]>([
    ['at the next step', (each) => each.store(after(3))],
    ['when it is closed', (each) => each.close()],
  ])('tells of a disk that failed meanwhile %s', async (_when, then) => {
    keeper.store(after(1));
    keeper.store(after(2));
    await rm(dirname(path), { recursive: true });
    await writeFile(dirname(path), ''); // no directory any more
    await pass(100);
    expect(() => then(keeper)).toThrow(DiskError);
    await rm(dirname(path));
    await mkdir(dirname(path));
    keeper.close();
    expect(stored()).toMatch(/^s[23]$/);
  });
});
