import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { lstat, mkdir, open, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { runCli } from '../kit/run-cli.js';
import { deviceAt, openDeviceKit } from './device-kit.js';

describe('--ready-file', () => {
  it('takes away what an earlier run left, also where the first sync fails', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 403, { errcode: 'M_FORBIDDEN' }),
    );
    const { path, env } = await deviceAt(server.url);
    const ready = join(path, 'ready');
    await writeFile(ready, 'old');
    const { code } = await runCli(['listen', '--shared-device', '--ready-file', ready], { env });
    expect(code).toBe(1);
    await expect(stat(ready)).rejects.toThrow('ENOENT');
  });

  it('that cannot be written is exit 2', async () => {
    const kit = await openDeviceKit();
    const { code, stderr } = await kit.run(['listen', '--ready-file', join(kit.folder, 'none', 'ready')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('unreadable_file')]);
  });

  it.each([
    ['a device', (path: string) => symlink('/dev/null', path)],
    ['a folder', (path: string) => mkdir(path)],
    ['a socket', listenAt],
  ])('that is %s is exit 2, and stays', async (_what, make) => {
    const kit = await openDeviceKit();
    const ready = join(kit.folder, 'ready');
    await make(ready);
    const { code, stderr } = await kit.run(['listen', '--drain', '--ready-file', ready]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no regular file')]);
    expect((await lstat(ready)).isFile()).toBe(false);
  });

  it('that is a FIFO is written to', async () => {
    const kit = await openDeviceKit();
    const ready = await fifoIn(kit.folder);
    const read = readFile(ready, 'utf8');
    const { code } = await kit.run(['listen', '--drain', '--ready-file', ready]);
    expect([code, await read]).toEqual([0, 'ready\n']);
  });

  it('that is a FIFO is written to also where its reader comes later', async () => {
    const kit = await openDeviceKit();
    const ready = await fifoIn(kit.folder);
    const running = kit.start(['listen', '--ready-file', ready]);
    await running.stderr.until(/ready\n/);
    const reader = await open(ready, 'r');
    const { bytesRead, buffer } = await reader.read(Buffer.alloc(16), 0, 16);
    await reader.close();
    running.signal('SIGTERM');
    expect((await running.done).code).toBe(0);
    expect(buffer.toString('utf8', 0, bytesRead)).toBe('ready\n');
  });
});

async function fifoIn(folder: string): Promise<string> {
  const path = join(folder, 'fifo');
  await promisify(execFile)('mkfifo', [path]);
  return path;
}

async function listenAt(path: string): Promise<void> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await once(server.listen(path), 'listening');
}
