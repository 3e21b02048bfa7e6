import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { lastJson, openPlace } from './account.js';
import { end, eventOf, healthOf, openStage } from './gateway-kit.js';

const INIT = ['gateway', 'init', '--homeserver', 'http://127.0.0.1:8008', '--server-name', 'example.org'];

describe('mx2s gateway init', () => {
  it('writes a registration for its owner alone, and says what to do with it', async () => {
    const place = await openPlace();
    const file = join(place.directory, 'mx2s.yaml');
    const { code, stdout, stderr } = await place.run([...INIT, '--registration', file]);
    expect(code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(stdout)).toEqual({
      v: 1,
      registration: file,
      homeserver: 'http://127.0.0.1:8008',
      server_name: 'example.org',
      user_id: '@:example.org',
    });
    expect(stderr).toContain(`app_service_config_files:\n  - ${JSON.stringify(file)}\n`);
    expect(stderr).toContain('restart');
    const { as_token = '', hs_token = '' } = parse(await readFile(file, 'utf8')) as Record<string, string>;
    for (const secret of [as_token, hs_token]) {
      expect(secret.length).toBeGreaterThan(40);
      expect(stdout + stderr).not.toContain(secret);
    }
  });

  it('never overwrites one', async () => {
    const place = await openPlace();
    const file = join(place.directory, 'mx2s.yaml');
    await writeFile(file, 'mine');
    const { code, stderr } = await place.run([...INIT, '--registration', file]);
    expect({ code, error: lastJson(stderr)['error'] }).toMatchObject({
      code: 2,
      error: { code: 'unreadable_file' },
    });
    expect(await readFile(file, 'utf8')).toBe('mine');
  });

  it.each([
    [['gateway', 'init', '--registration', 'f'], /--homeserver and --server-name/],
    [[...INIT], /no registration/],
    [['gateway', 'begin', '--registration', 'f'], /unknown command/],
    [
      ['gateway', 'init', '--homeserver', 'x', '--server-name', 'a.org', '--registration', 'f'],
      /homeserver URL/,
    ],
    [[...INIT, '--registration', 'f', '--password-file', 'f'], /needs no password/],
    [['gateway'], /--password-file/],
    [['gateway', '--password-file', 'f'], /--homeserver and --server-name/],
    [['gateway', '--registration', 'f', '--password-file', 'f'], /exclude each other/],
    [['gateway', '--registration', 'f', '--health-port', '70000'], /no port/],
    [['gateway', '--registration', 'f', '--on', 'x'], /GLOB=HANDLER/],
    [['gateway', '--registration', '/nowhere/f'], /no such file/],
  ])('refuses %j', async (argv, message) => {
    const place = await openPlace();
    const { code, stderr } = await place.run(argv);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('mx2s gateway', () => {
  it('answers as the server user, and says so', async () => {
    const { stub, start } = await openStage();
    const running = start('--on', 'org.example.*=echo');
    await running.stdout.until(/"ready":true/);
    expect(running.stdout.lines).toEqual([
      {
        v: 1,
        ready: true,
        homeserver: stub.url,
        server_name: 'example.org',
        user_id: '@:example.org',
      },
    ]);

    stub.push(
      eventOf('@alice:example.org', { n: 1 }),
      eventOf('@bob:remote.example', { device_id: 'BOBDEV' }),
    );
    await running.stdout.until(/(?:.*\n){5}/);
    expect(stub.sent).toEqual([
      {
        type: 'org.example.a',
        txnId: expect.any(String) as string,
        messages: { '@alice:example.org': { '*': { n: 1 } } },
      },
      {
        type: 'org.example.a',
        txnId: expect.any(String) as string,
        messages: { '@bob:remote.example': { BOBDEV: { device_id: 'BOBDEV' } } },
      },
    ]);
    const log = running.stdout.lines.slice(1) as Record<string, unknown>[];
    expect(log.filter(({ direction }) => direction === 'in')).toMatchObject([
      { sender: '@alice:example.org', to: '@:example.org', device: '', via: 'client', outcome: 'handled' },
      {
        sender: '@bob:remote.example',
        to: '@:example.org',
        device: '',
        via: 'federation',
        outcome: 'handled',
      },
    ]);
    expect(log.filter(({ direction }) => direction === 'out')).toMatchObject([
      { sender: '@:example.org', to: '@alice:example.org', device: '*' },
      { sender: '@:example.org', to: '@bob:remote.example', device: 'BOBDEV' },
    ]);
    expect(await end(running)).toBe(0);
    expect(stub.acknowledged).toBe(2);
  });

  it('answers no server (R-36), drops what nobody wants without a trace of its content (R-19)', async () => {
    const { stub, start } = await openStage();
    stub.push(
      eventOf('@:remote.example', { n: 1 }),
      { ...eventOf('@alice:example.org', { secret: 'unwanted' }), type: 'org.unknown' },
      { sender: 'nobody', type: 'org.example.a', content: {} },
      { sender: '@alice:example.org', type: 'org.example.a', content: [] },
      { sender: '@alice:example.org', content: {} },
    );
    const running = start('--on', 'org.example.*=echo', '--health-port', '0');
    const health = await healthOf(running);
    await stub.until(() => stub.acknowledged === 5);
    expect(stub.sent).toEqual([]);
    const metrics = await (await fetch(`${health}/metrics`)).text();
    expect(metrics).toContain('mx2s_gateway_events_total{outcome="handled"} 1\n');
    expect(metrics).toContain('mx2s_gateway_events_total{outcome="dropped"} 1\n');
    expect(metrics).toContain('mx2s_gateway_events_total{outcome="malformed"} 3\n');
    await end(running);
    expect(running.stdout.text).toContain('"outcome":"dropped"');
    expect(running.stdout.text + running.stderr.text).not.toContain('unwanted');
  });

  it('calls a handler again, and skips the message when the tries are used up', async () => {
    const { stub, start, place } = await openStage();
    const tries = join(place.directory, 'tries');
    stub.push(eventOf('@alice:example.org', { n: 1 }), {
      ...eventOf('@alice:example.org', { n: 2 }),
      type: 'org.other',
    });
    const running = start(
      '--on',
      `org.example.*=exec:echo x >> ${tries}; exit 1`,
      '--on',
      'org.other=echo',
      '--handler-retries',
      '1',
    );
    await stub.until(() => stub.acknowledged === 2);
    expect(await readFile(tries, 'utf8')).toBe('x\nx\n');
    expect(await end(running)).toBe(0);
    expect(running.stdout.text).toContain('"outcome":"failed"');
    expect(running.stderr.text).toContain('the handler of org.example.a failed');
    expect(stub.sent).toMatchObject([{ type: 'org.other' }]);
  });

  it('sends an answer again under the same ID until it is taken', async () => {
    const { stub, start } = await openStage();
    stub.fail(/sendToDevice/, { status: 502 }, 'cut', { status: 503 });
    stub.push(eventOf('@alice:example.org', { n: 1 }));
    const running = start('--on', '*=echo');
    await running.stdout.until(/"direction":"out"/);
    expect(stub.sent).toHaveLength(1); // "cut" did take it
    await end(running);
  });

  it('passes over an answer that the homeserver will never take', async () => {
    const { stub, start } = await openStage();
    stub.fail(/sendToDevice/, { status: 413, errcode: 'M_TOO_LARGE' });
    stub.push(eventOf('@alice:example.org', { n: 1 }));
    const running = start('--on', '*=echo');
    await stub.until(() => stub.acknowledged === 1);
    stub.push(eventOf('@alice:example.org', { n: 2 }));
    await running.stdout.until(/"direction":"out"/);
    expect(stub.sent).toMatchObject([{ messages: { '@alice:example.org': { '*': { n: 2 } } } }]);
    expect(running.stderr.text).toContain('an answer of type org.example.a was refused');
    await end(running);
  });

  it('logs in again when its token is refused', async () => {
    const { stub, start } = await openStage();
    const running = start('--on', '*=echo');
    await running.stdout.until(/"ready":true/);
    stub.revokeAll();
    stub.push(eventOf('@alice:example.org', { n: 1 }));
    await running.stdout.until(/"direction":"out"/);
    expect(stub.logins).toBe(2);
    await end(running);
  });

  it('ends with 4 when the homeserver does not know the registration', async () => {
    const { stub, start } = await openStage({ asToken: 'another' });
    const { code, stderr } = await start().done;
    expect([code, lastJson(stderr)['error']]).toMatchObject([
      4,
      { code: 'token_refused', hint: expect.stringContaining('add it to its configuration') as string },
    ]);
    expect(stderr).not.toContain('another');
    expect(stub.logins).toBe(0);
  });

  it('makes no account where an application service cannot be the server user, and says what can', async () => {
    const { stub, start } = await openStage();
    stub.isStrict = true;
    const { code, stderr } = await start().done;
    expect([code, lastJson(stderr)['error']]).toMatchObject([
      1,
      { errcode: 'M_INVALID_USERNAME', hint: expect.stringContaining('--password-file') as string },
    ]);
    expect(stub.registrations).toBe(0);
  });

  describe('with the password of the server user', () => {
    it('logs in as often as it must', async () => {
      const { stub, startWith } = await openStage();
      stub.isStrict = true;
      const running = await startWith(stub.password);
      await running.stdout.until(/"ready":true/);
      stub.revokeAll();
      stub.push(eventOf('@alice:example.org', { n: 1 }));
      await running.stdout.until(/"direction":"out"/);
      expect([stub.logins, stub.registrations]).toEqual([2, 0]);
      expect(await end(running)).toBe(0);
      expect(running.stdout.text + running.stderr.text).not.toContain(stub.password);
    });

    it('says what may be wrong with it', async () => {
      const { stub, startWith } = await openStage();
      stub.isStrict = true;
      const { code, stderr } = await (await startWith('another password')).done;
      expect([code, lastJson(stderr)['error']]).toMatchObject([
        1,
        {
          errcode: 'M_FORBIDDEN',
          hint: expect.stringContaining('no account with the empty localpart') as string,
        },
      ]);
      expect(stderr).not.toContain('another password');
    });

    it('is not content with an empty one', async () => {
      const { startWith } = await openStage();
      expect(await (await startWith('')).done).toMatchObject({ code: 2 });
    });
  });

  it('goes on where it was, in the same session, and repeats no answer', async () => {
    const { stub, start } = await openStage();
    // the second answer is taken, but the gateway never hears of it
    stub.push(eventOf('@alice:example.org', { n: 1 }), eventOf('@alice:example.org', { n: 2 }));
    stub.fail(/sendToDevice/, { status: 503 }, 'cut');
    const first = start('--on', '*=echo', '--handler-concurrency', '1');
    await stub.until(() => stub.sent.length === 1);
    expect(await end(first)).toBe(0);

    const second = start('--on', '*=echo');
    await stub.until(() => stub.acknowledged === 2);
    expect(stub.sent.map(({ messages }) => messages)).toEqual([
      { '@alice:example.org': { '*': { n: 1 } } },
      { '@alice:example.org': { '*': { n: 2 } } },
    ]);
    expect(stub.logins).toBe(1);
    await end(second);
  });

  it('says how it fares', async () => {
    const { stub, start } = await openStage();
    const running = start('--health-port', '0');
    const health = await healthOf(running);
    await running.stdout.until(/"ready":true/);
    expect((await fetch(`${health}/live`)).status).toBe(200);
    expect((await fetch(`${health}/ready`)).status).toBe(200);
    expect((await fetch(`${health}/`)).status).toBe(404);
    stub.fail(/sync/, ...Array.from({ length: 20 }, () => ({ status: 502 })));
    stub.push({ ...eventOf('@alice:example.org', {}), type: 'org.unknown' });
    await running.stderr.until(/the connection is lost/);
    expect((await fetch(`${health}/live`)).status).toBe(200);
    expect((await fetch(`${health}/ready`)).status).toBe(503);
    expect(await (await fetch(`${health}/metrics`)).text()).toMatch(/sync_failures_total [1-9]/);
    await end(running);
  });

  it('lets one gateway alone read the device', async () => {
    const { start } = await openStage();
    const first = start();
    await first.stdout.until(/"ready":true/);
    const { code, stderr } = await start().done;
    expect([code, lastJson(stderr)['error']]).toMatchObject([2, { code: 'device_locked' }]);
    await end(first);
  });

  it('takes a registration written by hand with --homeserver and --server-name, and to no other homeserver', async () => {
    const { stub, place, registration, start } = await openStage();
    await writeFile(registration, `as_token: ${stub.asToken}\n`);
    expect(await start().done).toMatchObject({ code: 2 });
    const running = start('--homeserver', stub.url, '--server-name', 'example.org');
    await running.stdout.until(/"ready":true/);
    await end(running);

    const own = { homeserver: stub.url, server_name: 'example.org' };
    await writeFile(registration, JSON.stringify({ as_token: stub.asToken, 'mx2s.gateway': own }));
    const { code, stderr } = await place.run([
      ...['gateway', '--registration', registration],
      ...['--homeserver', 'https://elsewhere.example'],
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('was made for')]);
  });
});

it('marks in its help what init needs', async () => {
  const { run } = await openPlace();
  const { stdout } = await run(['gateway', 'init', '--help']);
  expect(stdout).toContain('mx2s gateway init --homeserver URL --server-name NAME --registration FILE\n');
});
