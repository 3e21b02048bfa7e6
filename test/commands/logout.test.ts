import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deviceFilesOf } from '../../src/config/device-files.js';
import { directoriesOf } from '../../src/config/paths.js';
import { writePosition } from '../../src/config/position.js';
import { appendToSpool } from '../../src/config/spool.js';
import type { RunningServer } from '../../src/server/listen.js';
import { compactJson } from '../../src/wire/json.js';
import { lastJson, openPlace, openServer, PASSWORD, type Place } from './account.js';

async function loggedIn(
  server: RunningServer,
  place: Place,
  profile = 'default',
): Promise<Record<string, unknown>> {
  const argv = ['login', server.homeserver, '--user', 'alice', '--profile', profile];
  return lastJson((await place.run(argv, { env: { MX2S_PASSWORD: PASSWORD } })).stdout);
}

describe('logout', () => {
  it('ends the session and forgets the profile', async () => {
    const server = await openServer();
    const place = await openPlace();
    const login = await loggedIn(server, place);
    const token = await place.storedToken();
    const { code, stdout, stderr } = await place.run(['logout']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(lastJson(stdout)).toEqual({
      v: 1,
      profile: 'default',
      homeserver: server.homeserver,
      user_id: login['user_id'],
      device_id: login['device_id'],
      session: 'ended',
    });
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: token };
    expect((await place.run(['whoami'], { env })).code).toBe(4);
    expect((await place.run(['whoami'])).code).toBe(4);
    expect([...(await place.files()).values()].join()).not.toContain(token);
  });

  it('takes the profile that is named, and leaves the others', async () => {
    const server = await openServer();
    const place = await openPlace();
    await loggedIn(server, place);
    await loggedIn(server, place, 'work');
    const { stdout } = await place.run(['logout', '--profile', 'work', '--text']);
    expect(stdout).toMatch(/^logged out @alice:\S+, profile work is gone\n$/);
    expect((await place.run(['whoami'])).code).toBe(0);
    expect((await place.run(['whoami', '--profile', 'work'])).code).toBe(2);
  });

  it('takes all profiles, and no other session of their users', async () => {
    const server = await openServer();
    const place = await openPlace();
    await loggedIn(server, place);
    await loggedIn(server, place, 'work');
    const { code, stdout } = await place.run(['logout', '--all']);
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => lastJson(line)['profile']),
    ).toEqual(['default', 'work']);
    expect((await place.run(['profiles'])).stdout).toBe('');
    const env = { MX2S_HOMESERVER: server.homeserver, MX2S_ACCESS_TOKEN: server.users[0]?.accessToken };
    expect((await place.run(['whoami'], { env })).code).toBe(0);
  });

  it('forgets a profile whose session was over already, and says so', async () => {
    const server = await openServer();
    const place = await openPlace();
    const login = await loggedIn(server, place);
    const elsewhere = await openPlace();
    await writeFile(
      join(elsewhere.directory, 'profiles.json'),
      (await place.files()).get(String(login['config_file'])) ?? '',
    );
    await elsewhere.run(['logout']);
    const { code, stdout, stderr } = await place.run(['logout']);
    expect(code).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ session: 'over' });
    expect(stderr).toBe('the session of profile default was over already\n');
    expect((await place.run(['profiles'])).stdout).toBe('');
  });

  it('forgets a profile whose homeserver is gone, and warns that the session may still be open', async () => {
    const server = await openServer();
    const place = await openPlace();
    const login = await loggedIn(server, place);
    await server.stop();
    const { code, stdout, stderr } = await place.run(['logout', '--retries', '0']);
    expect(code).toBe(0);
    expect(lastJson(stdout)).toMatchObject({ session: 'unknown' });
    expect(stderr).toContain(
      `warning: the session of profile default may still be open (device ${String(login['device_id'])})`,
    );
    expect((await place.run(['profiles'])).stdout).toBe('');
  });

  it('takes away what was kept for the device, and says what was lost', async () => {
    const server = await openServer();
    const place = await openPlace();
    const login = await loggedIn(server, place);
    const device = {
      homeserver: server.homeserver,
      userId: String(login['user_id']),
      deviceId: String(login['device_id']),
    };
    const files = await deviceFilesOf(directoriesOf(place.env), device);
    writePosition(files.position, { api: 'v3', since: 's1', consumed: 0 });
    appendToSpool(files.spool, [{ sender: '@:example.org', type: 'a', content: compactJson('{}') }]);
    const { stderr } = await place.run(['logout']);
    expect(stderr).toBe('warning: 1 events that no listen has printed yet are thrown away\n');
    expect([...(await place.files()).keys()]).toEqual([login['config_file']]);
  });

  it.each([
    ['nobody is logged in', ['logout'], {}, 4],
    ['the profile is unknown', ['logout', '--profile', 'none'], {}, 2],
    ['all and one are named', ['logout', '--all', '--profile', 'none'], {}, 2],
    [
      'the environment names a session of its own',
      ['logout'],
      { MX2S_HOMESERVER: 'http://127.0.0.1:1', MX2S_ACCESS_TOKEN: 'tok' },
      2,
    ],
  ])('fails where %s', async (_name, argv, env, expected) => {
    const place = await openPlace();
    expect((await place.run(argv, { env })).code).toBe(expected);
  });

  it('has nothing to do where there are no profiles', async () => {
    const place = await openPlace();
    expect(await place.run(['logout', '--all'])).toEqual({
      code: 0,
      stdout: '',
      stderr: 'no profiles: nothing to log out of\n',
    });
  });

  it('keeps the profile when it is interrupted', async () => {
    const server = await openServer();
    const place = await openPlace();
    await loggedIn(server, place);
    await server.stop();
    const running = place.start(['logout', '--verbose']);
    await running.stderr.until(/attempt 1 failed/);
    running.signal('SIGINT');
    expect((await running.done).code).toBe(130);
    expect((await place.run(['profiles'])).stdout).toContain('"default"');
  });
});
