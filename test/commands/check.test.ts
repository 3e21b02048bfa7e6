import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REQUIREMENT_IDS } from '../../src/check/requirements.js';
import type { CheckResult } from '../../src/ui/render/check-json.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import type { Finished } from '../kit/run-cli.js';
import { lastJson, openPlace, openServer, PASSWORD } from './account.js';
import { numbersIn, openDeviceKit, publishKeys, type DeviceKit } from './device-kit.js';

describe('against serve', () => {
  it('finds no fail and nothing inconclusive, and says why it skips', async () => {
    const kit = await openDeviceKit({ handlers: [], allowRegistration: true });
    const finished = await kit.run(['check', kit.server.homeserver, '--allow-register'], withBob(kit));
    const results = resultsIn(finished);
    expect(finished.code).toBe(0);
    expect(results.map(({ requirement }) => requirement)).toEqual(REQUIREMENT_IDS);
    const odd = results.filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive');
    expect(odd).toEqual([]);
    const skipped = results.filter(({ verdict }) => verdict === 'skipped');
    expect(
      skipped.filter(({ seen }) => seen === 'needs --federation').map(({ requirement }) => requirement),
    ).toEqual(['R-14', 'R-16', 'R-17', 'R-18', 'R-27', 'R-28', 'R-36']);
    expect(
      skipped.filter(({ seen }) => seen !== 'needs --federation').map(({ requirement }) => requirement),
    ).toEqual(['R-21', 'R-31', 'R-34', 'R-37']);
    expect(finished.stderr).toMatch(
      /\n?18 pass, 0 fail, 0 inconclusive, 11 skipped; \d+ requests in \d+\.\d s\n$/,
    );
  });

  it('finds as much where nobody can register, and less with one account', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const finished = await kit.run(['check', kit.server.homeserver]);
    const verdicts = new Map(resultsIn(finished).map((result) => [result.requirement, result]));
    expect(
      [...verdicts.values()].filter(({ verdict }) => verdict === 'fail' || verdict === 'inconclusive'),
    ).toEqual([]);
    expect(verdicts.get('R-20')).toMatchObject({ verdict: 'pass' });
    expect(verdicts.get('R-24')).toMatchObject({ verdict: 'skipped', seen: 'needs --allow-register' });
    expect(verdicts.get('R-35')?.seen).toContain('not looked at: another account (needs a second account');
  });

  it('is inconclusive where nothing is answered, which counts only when strict', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const argv = [
      'check',
      kit.server.homeserver,
      '--only',
      'R-9,R-32',
      '--probe-type',
      'org.example.unknown',
    ];
    const usual = await kit.run([...argv, '--timeout', '100ms']);
    expect([usual.code, resultsIn(usual).map(({ verdict }) => verdict)]).toEqual([
      0,
      ['pass', 'inconclusive'],
    ]);
    expect(usual.stderr).toContain('none counts against the homeserver');
    const strict = await kit.run([...argv, '--timeout', '100ms', '--strict']);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('1 counts against the homeserver');
  });

  it('deactivates the accounts that it makes', async () => {
    const kit = await openDeviceKit({ handlers: [], allowRegistration: true });
    const finished = await kit.run([
      'check',
      kit.server.homeserver,
      '--only',
      'R-20,R-24',
      '--allow-register',
      '-v',
    ]);
    const names = [...finished.stdout.matchAll(/@(mx2s-check-[0-9a-f]+):/g)].map(([, name]) => name);
    expect(names).toHaveLength(1);
    expect(finished.stderr).not.toContain('could not be deactivated');
    const url = `${kit.server.homeserver}/_matrix/client/v3/register/available?username=${names[0] ?? ''}`;
    expect(await (await fetch(url)).json()).toEqual({ available: true });
  });

  it('loses no event of the user, and leaves none of its own', async () => {
    const kit = await openDeviceKit({ handlers: [{ glob: 'org.example.*', handler: { kind: 'echo' } }] });
    await kit.fill(1);
    await kit.fromBob(2);
    expect((await kit.run(['check', kit.server.homeserver])).code).toBe(0);
    await kit.fill(3);
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual([1, 2, 3]);
  });

  it('loses no event that comes to the user while it looks', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const looking = kit.start(['check', kit.server.homeserver]);
    const numbers = [9, 12, 15, 25, 29, 32];
    for (const n of numbers) {
      await looking.stdout.until(new RegExp(`"R-${n}"`));
      await kit.fromBob(n);
    }
    expect((await looking.done).code).toBe(0);
    expect(numbersIn(await kit.run(['listen', '--drain', '--any-sender']))).toEqual(numbers);
  });

  it('shows what decided when asked to, without secrets', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const { stderr } = await kit.run(['check', kit.server.homeserver, '--only', 'R-9,R-22', '--verbose']);
    expect(stderr).toMatch(
      /^> PUT \S+\/sendToDevice\/mx2s\.check\.hello\/\S+\n> \{"messages":.*\n< 200\n< \{\}$/m,
    );
    expect(stderr).toContain('"password":"***"');
    for (const { accessToken } of kit.server.users) expect(stderr).not.toContain(accessToken);
  });

  it('tells no secret, though the homeserver repeats them', async () => {
    const server = await startLoopbackServer(({ path, headers }, response) => {
      const device = { [headers.authorization ?? '']: {} };
      if (path.includes('/whoami')) json(response, 200, { user_id: '@alice:hs.test', device_id: 'D' });
      else json(response, 200, { next_batch: 's1', device_keys: { '@:hs.test': { device } } });
    });
    const { run } = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'secret-token' };
    const { stdout } = await run(['check', server.url, '--only', 'R-11'], { env });
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'fail',
      seen: expect.stringContaining('Bearer ***') as string,
    });
    expect(stdout).not.toContain('secret-token');
  });
});

describe('the report', () => {
  it('is text for people, cut to the terminal', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const { stdout } = await kit.run(['check', kit.server.homeserver, '--only', 'R-9,R-14'], {
      terminal: { stdout: true },
      columns: 78,
      env: { ...kit.env, NO_COLOR: '1' },
    });
    expect(stdout).toMatch(/^R-9 {3}pass {10}must {4}accepts messages to @:d, its own and others\n/);
    expect(stdout).toMatch(
      /\nR-14 {2}skipped {7}must {4}sends a message for another server as an EDU\n {6}needs --federation\n$/,
    );
  });

  it('is TAP', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const { stdout } = await kit.run([
      'check',
      kit.server.homeserver,
      '--only',
      'R-9,R-14',
      '--format',
      'tap',
    ]);
    expect(stdout).toMatch(/^TAP version 14\n1\.\.2\nok 1 - R-9 [^#]*\n {2}---\n/);
    expect(stdout).toMatch(/\nok 2 - R-14 .* # SKIP needs --federation\n/);
  });

  it('is JUnit', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const { stdout } = await kit.run([
      'check',
      kit.server.homeserver,
      '--only',
      'R-9,R-14',
      '--format',
      'junit',
    ]);
    expect(stdout).toMatch(
      /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<testsuites name="MSC4246 at http:[^"]*" tests="2" failures="0" errors="0" skipped="1"/,
    );
  });

  it('is the same JSON with --format json, and text with --format text', async () => {
    const kit = await openDeviceKit({ handlers: [] });
    const argv = ['check', kit.server.homeserver, '--only', 'R-14', '--format'];
    const asJson = await kit.run([...argv, 'json'], { terminal: { stdout: true } });
    expect(resultsIn(asJson)).toEqual([
      {
        v: 1,
        requirement: 'R-14',
        verdict: 'skipped',
        level: 'must',
        basis: 'proposal',
        title: 'sends a message for another server as an EDU',
        seen: 'needs --federation',
      },
    ]);
    expect((await kit.run([...argv, 'text'])).stdout).toMatch(/^R-14 {2}skipped .*needs --federation\n$/);
  });
});

describe('the list', () => {
  it('needs no homeserver', async () => {
    const { run } = await openPlace();
    const { code, stdout } = await run(['check', '--list']);
    const lines = stdout.trimEnd().split('\n');
    expect([code, lines.length]).toEqual([0, REQUIREMENT_IDS.length]);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      v: 1,
      requirement: 'R-9',
      level: 'must',
      basis: 'proposal',
      title: 'accepts messages to @:d, its own and others',
      provable: 'seen',
      needs: ['federation'],
    });
    const text = await run(['check', '--list', '--only', 'R-31,R-35', '--text']);
    expect(text.stdout).toBe(
      'R-31  never     must    proposal  stores no message for @:d                        what a server stores and never shows cannot be seen from outside\n' +
        'R-35  by reply  must    reading   answers the device that asked, or all of them    --other, --federation\n',
    );
  });
});

describe('the accounts', () => {
  it('may be profiles, which find their way by themselves', async () => {
    const server = await openServer();
    const place = await openPlace();
    const file = join(place.directory, 'password');
    await writeFile(file, PASSWORD);
    const login = ['login', server.homeserver, '--user', 'alice', '--password-file', file];
    expect((await place.run(login)).code).toBe(0);
    const bob = server.users[1];
    await writeFile(file, bob?.accessToken ?? '');
    const other = ['login', server.homeserver, '--access-token-file', file, '-p', 'bob'];
    expect((await place.run(other)).code).toBe(0);
    await place.run(['profiles', 'use', 'default']);
    const argv = ['check', '--only', 'R-35', '--other', 'bob'];
    for (const named of [[], ['-p', 'default'], [server.homeserver], ['--homeserver', server.homeserver]]) {
      const finished = await place.run([...argv, ...named]);
      expect([finished.code, resultsIn(finished)[0]?.seen]).toEqual([
        0,
        expect.stringContaining('another account: @bob:'),
      ]);
    }
    // a URL that is given has to be of their origin, wherever it is given
    const elsewhere = 'http://127.0.0.1:1';
    for (const finished of [
      await place.run([...argv, elsewhere]),
      await place.run([...argv, '--homeserver', elsewhere]),
      await place.run(argv, { env: { MX2S_HOMESERVER: elsewhere } }),
    ]) {
      expect([finished.code, finished.stdout]).toEqual([2, '']);
      expect(lastJson(finished.stderr)).toMatchObject({ error: { code: 'usage' } });
    }
  });

  it('say where to look where nothing else does', async () => {
    const kit = await openDeviceKit();
    expect((await kit.run(['check', '--only', 'R-9'])).code).toBe(0);
    const { run } = await openPlace();
    const finished = await run(['check', '--only', 'R-9']);
    expect([finished.code, finished.stdout]).toEqual([4, '']);
    expect(lastJson(finished.stderr)).toMatchObject({ error: { code: 'not_logged_in' } });
  });

  it.each<[string, (kit: DeviceKit) => Record<string, string>, number, string]>([
    ['nobody', () => ({ MX2S_ACCESS_TOKEN: '', MX2S_HOMESERVER: '' }), 4, 'not_logged_in'],
    ['somebody of another origin', () => ({ MX2S_HOMESERVER: 'http://127.0.0.1:1' }), 2, 'usage'],
    [
      'another without a homeserver',
      () => ({ MX2S_OTHER_ACCESS_TOKEN: 'x', MX2S_HOMESERVER: '' }),
      2,
      'usage',
    ],
    ['a stranger', () => ({ MX2S_ACCESS_TOKEN: 'stranger' }), 4, 'token_refused'],
    [
      'the same one twice',
      (kit) => ({ MX2S_OTHER_ACCESS_TOKEN: kit.env['MX2S_ACCESS_TOKEN'] ?? '' }),
      2,
      'usage',
    ],
  ])('cannot be %s', async (_name, change, code, error) => {
    const kit = await openDeviceKit();
    const env = { ...kit.env, ...change(kit) };
    const finished = await kit.run(['check', kit.server.homeserver, '--only', 'R-9'], { env });
    expect([finished.code, finished.stdout]).toEqual([code, '']);
    expect(lastJson(finished.stderr)).toMatchObject({ error: { code: error } });
  });

  it('must not be the server user, whose messages a gateway reads', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 200, { user_id: '@:hs.test', device_id: '' }),
    );
    const { run } = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'x' };
    const finished = await run(['check', server.url], { env });
    expect([finished.code, finished.stdout]).toEqual([2, '']);
    expect(server.asked.map(({ path }) => path)).toEqual(['/_matrix/client/v3/account/whoami']);
  });

  it('must not be on devices of other clients', async () => {
    const kit = await openDeviceKit();
    await publishKeys(kit.server.homeserver, kit.env['MX2S_ACCESS_TOKEN'] ?? '');
    const argv = ['check', kit.server.homeserver, '--only', 'R-9'];
    expect((await kit.run(argv)).code).toBe(2);
    expect((await kit.run([...argv, '--shared-device'])).code).toBe(0);
  });
});

describe('the exit status', () => {
  it('is 5, without a result, where no homeserver is', async () => {
    const server = await startLoopbackServer((_asked, response) => response.destroy());
    const { run } = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'x' };
    const finished = await run(['check', server.url, '--retries', '0'], { env });
    expect([finished.code, finished.stdout]).toEqual([5, '']);
  });

  it('is 1 where a must of the proposal is broken', async () => {
    const server = await startLoopbackServer(({ path, body }, response) => {
      if (path.includes('/whoami')) json(response, 200, { user_id: '@alice:hs.test', device_id: 'D' });
      else if (body.includes('"@:hs.test"')) json(response, 400, { errcode: 'M_BAD_JSON', error: 'no' });
      else json(response, 200, { next_batch: 's1', device_keys: {} });
    });
    const { run } = await openPlace();
    const env = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'x' };
    const finished = await run(['check', server.url, '--only', 'R-9', '--text'], { env });
    expect(finished.code).toBe(1);
    expect(finished.stdout).toMatch(
      /^R-9 {3}fail .* a message to @:hs\.test was answered 400 M_BAD_JSON, and /,
    );
  });
});

function withBob(kit: DeviceKit): { env: Record<string, string> } {
  return { env: { ...kit.env, MX2S_OTHER_ACCESS_TOKEN: kit.server.users[1]?.accessToken ?? '' } };
}

function resultsIn({ stdout }: Pick<Finished, 'stdout'>): CheckResult[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CheckResult);
}
