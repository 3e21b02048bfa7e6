import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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
});
