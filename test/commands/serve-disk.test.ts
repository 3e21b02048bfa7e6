/** `serve --data` on a disk that is full, and on a file that is damaged: nothing that was accepted is lost. */
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startBinary, type RunningBinary } from '../kit/binary.js';
import { runCli } from '../kit/run-cli.js';
import { call, defined, sendTo, serve, tempDir, type Ready } from './serve-kit.js';

const TYPE = 'org.example.n';
const PAGE_BYTES = 4096;
const FLAGS = ['--server-name', 'example.org'];

let home: string;
let file: string;
beforeEach(async () => {
  home = await tempDir();
  file = join(home, 'server.db');
});

async function startServe(maxFileBytes?: number): Promise<{ process: RunningBinary; ready: Ready }> {
  const process = startBinary(['serve', '--data', file, ...FLAGS], { home, maxFileBytes });
  onTestFinished(() => process.stop());
  return { process, ready: JSON.parse(await process.lineOf('stdout', /"ready":true/)) as Ready };
}

/** A message for bob that takes several pages. */
function sendNumber(ready: Ready, n: number): Promise<Response> {
  return sendTo(
    ready,
    defined(ready.users[1]).user_id,
    '*',
    TYPE,
    { n, text: 'x'.repeat(10_000) },
    String(n),
  );
}

async function numbersFor(ready: Ready, index: number): Promise<number[]> {
  const answer = await call(ready, 'GET', '/sync', undefined, ready.users[index]);
  expect(answer.status).toBe(200);
  const body = (await answer.json()) as { to_device?: { events: { content: { n: number } }[] } };
  return (body.to_device?.events ?? []).map(({ content }) => content.n);
}

/** Overwrites all pages from one on. */
async function damage(fromPage: number): Promise<void> {
  const { size } = await stat(file);
  const handle = await open(file, 'r+');
  const start = fromPage * PAGE_BYTES;
  await handle.write(Buffer.alloc(size - start, 'x'), 0, size - start, start);
  await handle.close();
}

async function pageCount(): Promise<number> {
  return (await stat(file)).size / PAGE_BYTES;
}

describe('a disk that is full', () => {
  it('is told of, takes no message without keeping it, and is used again when there is room', async () => {
    const { process, ready } = await startServe(512 * 1024);
    const accepted: number[] = [];
    let refusal: Response | undefined;
    for (let n = 0; refusal === undefined; n += 1) {
      const answer = await sendNumber(ready, n);
      if (answer.status === 200) accepted.push(n);
      else refusal = answer;
    }
    expect(accepted.length).toBeGreaterThan(10);
    expect([refusal.status, await refusal.json()]).toEqual([
      503,
      { errcode: 'M_UNKNOWN', error: 'the server cannot use its data now' },
    ]);
    expect(await process.lineOf('stderr', /database/)).toBe(
      `warning: cannot use the database ${file}: disk I/O error; requests that need it are answered with 503`,
    );
    expect((await sendNumber(ready, 1000)).status).toBe(503);
    expect((await call(ready, 'GET', '/account/whoami')).status).toBe(200);
    expect(await numbersFor(ready, 1)).toEqual(accepted);
    process.kill('SIGTERM');
    const { code, stderr } = await process.result;
    expect([code, stderr.match(/disk I\/O error/g)?.length]).toEqual([0, 1]);

    const again = await startServe();
    expect(await numbersFor(again.ready, 1)).toEqual(accepted);
    const next = accepted.length; // it was refused, so it has not happened
    expect((await sendNumber(again.ready, next)).status).toBe(200);
    expect(await numbersFor(again.ready, 1)).toEqual([...accepted, next]);
  });

  it('keeps the server from starting, with 1', async () => {
    const process = startBinary(['serve', '--data', file, ...FLAGS, '--text'], { home, maxFileBytes: 8192 });
    onTestFinished(() => process.stop());
    const { code, stderr } = await process.result;
    expect([code, stderr]).toEqual([
      1,
      'hint: check its permissions, and the disk and the space on it; what was accepted is still there\n' +
        `mx2s: cannot use the database ${file}: disk I/O error\n`,
    ]);
  });
});

describe('a file that is damaged', () => {
  it('keeps the server from starting, with 2', async () => {
    await (await serve(['--data', file, ...FLAGS])).stop();
    await damage(1);
    const { code, stderr } = await runCli(['serve', '--data', file, ...FLAGS, '--text']);
    expect([code, stderr]).toEqual([
      2,
      'hint: go back to a copy of it, or begin with a new file\n' +
        `mx2s: the database ${file} is damaged: database disk image is malformed\n`,
    ]);
  });

  it('where only messages stand fails who asks for them', async () => {
    const before = await serve(['--data', file, ...FLAGS]);
    const usedPages = await pageCount();
    for (let n = 0; n < 3; n += 1) expect((await sendNumber(defined(before.ready), n)).status).toBe(200);
    await before.stop();
    await damage(usedPages);
    const { ready, stderr } = await serve(['--data', file, ...FLAGS]);
    const answer = await call(defined(ready), 'GET', '/sync', undefined, defined(ready).users[1]);
    expect([answer.status, await answer.json()]).toMatchObject([503, { errcode: 'M_UNKNOWN' }]);
    expect(stderr.text).toBe(
      `warning: the database ${file} is damaged: database disk image is malformed; requests that need it are answered with 503\n`,
    );
    expect(await numbersFor(defined(ready), 0)).toEqual([]);
  });
});
