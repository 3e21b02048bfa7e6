import { describe, expect, it } from 'vitest';
import { deviceFilesOf } from '../../src/config/device-files.js';

const directories = { config: '/c', state: '/s' };
const device = { homeserver: 'https://example.org', userId: '@alice:example.org', deviceId: 'ABC' };

describe('deviceFilesOf', () => {
  it('names files by a hash, below the state directory', async () => {
    const name = '[0-9a-f]{32}';
    const files = await deviceFilesOf(directories, device);
    expect(files.position).toMatch(new RegExp(`^/s/positions/${name}\\.json$`));
    expect(files.spool).toMatch(new RegExp(`^/s/spools/${name}\\.ndjson$`));
    expect(files.lock).toMatch(new RegExp(`^/s/locks/${name}\\.device$`));
    expect(files.refreshLock).toMatch(new RegExp(`^/s/locks/${name}\\.refresh$`));
    expect(files.token).toMatch(new RegExp(`^/s/tokens/${name}$`));
  });

  it('gives the same names again', async () => {
    const files = await deviceFilesOf(directories, device);
    expect(await deviceFilesOf(directories, { ...device })).toEqual(files);
  });

  it.each([
    { ...device, homeserver: 'https://example.com' },
    { ...device, userId: '@bob:example.org' },
    { ...device, deviceId: '../../etc/passwd' },
    { homeserver: 'https://example.org', userId: '@alice:example.orgA', deviceId: 'BC' },
  ])('gives another device other names: $userId $deviceId at $homeserver', async (other) => {
    const { position } = await deviceFilesOf(directories, other);
    expect(position).not.toBe((await deviceFilesOf(directories, device)).position);
    expect(position).toMatch(/^\/s\/positions\/[0-9a-f]{32}\.json$/);
  });
});
