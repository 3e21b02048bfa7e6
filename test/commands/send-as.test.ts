import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Resolver } from '../../src/federation/look-up.js';
import { openTransport } from '../../src/http/transport.js';
import { startServer } from '../../src/server/listen.js';
import type { LogEntry } from '../../src/server/log-entry.js';
import { parseHandlerRule } from '../../src/subsystems/table.js';
import { startPeer } from '../federation/peer.js';
import { AUTHORITY, GOOD, KEY, SELF_SIGNED } from '../http/certificates.js';
import { json } from '../http/loopback-server.js';
import { startCli, type Running, type RunSettings } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

const SEED = 'YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1'; // Matrix v1.19, Appendices, "Cryptographic Test Vectors"
const TYPE = ['-t', 'org.example.x'];

/** Files to name on the command line, and how to run it with them. */
async function speaker() {
  const { path: folder, remove } = await makeTempDir();
  onTestFinished(remove);
  const files = { key: join(folder, 'a.key'), ca: join(folder, 'ca.pem') };
  await writeFile(files.key, `ed25519 a_1 ${SEED}\n`);
  await writeFile(files.ca, AUTHORITY);
  const as = ['--as', '@:example.org', '--signing-key', files.key];
  const start = (args: readonly string[], settings: RunSettings = {}): Running => {
    const running = startCli(['send', ...as, ...TYPE, ...args], settings);
    onTestFinished(async () => {
      running.signal('SIGINT');
      await running.done;
    });
    return running;
  };
  const run = (args: readonly string[], settings: RunSettings = {}) => start(args, settings).done;
  return { files, start, run, trusting: ['--federation-ca', files.ca] };
}

/**
 * Another server, for which `example.org` is where the command publishes its key.
 * @param checks does it check the certificate there?
 */
async function startRemote({ checks = false } = {}) {
  const log: LogEntry[] = [];
  let published: Promise<string> = new Promise(() => undefined);
  const resolver: Resolver = {
    srv: async (name) => {
      if (name !== '_matrix-fed._tcp.example.org') return [];
      const [, port] = / at 127\.0\.0\.1:(\d+)/.exec(await published) ?? [];
      return [{ target: 'key.example.org', port: Number(port), priority: 0, weight: 0 }];
    },
    addresses: async (host) => (host === 'key.example.org' ? ['127.0.0.1'] : []),
    isAlias: async () => false,
  };
  const transport = openTransport({ insecure: !checks });
  const server = await startServer({
    federationPort: 0,
    certificate: { cert: GOOD, key: KEY },
    federation: { resolver, transport, reach: 'any' },
    handlers: [parseHandlerRule('org.example.*=echo')],
    onEvent: (entry) => log.push(entry),
  });
  onTestFinished(() => server.stop());
  const [alice] = server.users;
  if (alice === undefined) throw new Error('nobody is there');
  return {
    name: server.serverName,
    alice,
    log,
    /** The command whose key is looked for. */
    meet: ({ stderr }: Running) => {
      published = stderr.until(/ is published at /);
    },
    nobodyPublishes: () => {
      published = Promise.resolve('');
    },
    async events() {
      const headers = { authorization: `Bearer ${alice.accessToken}` };
      const response = await fetch(`${server.homeserver}/_matrix/client/v3/sync`, { headers });
      return ((await response.json()) as { to_device?: { events: unknown[] } }).to_device?.events ?? [];
    },
  };
}

const LISTEN = ['--listen', '127.0.0.1:0'];

describe('send --as', () => {
  it('R-27, R-28: reaches a user of another server, which fetches the key meanwhile', async () => {
    const { start, trusting } = await speaker();
    const { name, alice, meet, events } = await startRemote();
    const running = start([
      ...[alice.userId, '--device', alice.deviceId, '-d', '{"k":1.0}'],
      ...['--txn-id', 't1', ...trusting, ...LISTEN],
    ]);
    meet(running);
    const { code, stdout, stderr } = await running.done;
    expect(stderr).toMatch(/^the key of example\.org is published at 127\.0\.0\.1:\d+\n$/);
    expect(code).toBe(0);
    const [result] = running.stdout.lines;
    expect(result).toEqual({
      v: 1,
      status: 'accepted',
      as: '@:example.org',
      to: alice.userId,
      device: alice.deviceId,
      type: 'org.example.x',
      txn_id: 't1',
      attempts: 1,
      elapsed_ms: expect.any(Number) as number,
    });
    expect(stdout).toContain(name);
    expect(await events()).toEqual([{ sender: '@:example.org', type: 'org.example.x', content: { k: 1 } }]);
  });

  it.each([[''], ['*']])(
    'R-10, R-36: reaches another server, device %j, which does not answer',
    async (device) => {
      const { start, trusting } = await speaker();
      const { name, log, meet } = await startRemote();
      const running = start([`@:${name}`, '--device', device, '-d', '{"k":1}', ...trusting, ...LISTEN]);
      meet(running);
      expect((await running.done).code).toBe(0);
      expect(running.stdout.lines).toMatchObject([{ status: 'accepted', to: `@:${name}`, device: '' }]);
      expect(log).toEqual([
        {
          direction: 'in',
          sender: '@:example.org',
          to: `@:${name}`,
          device: '',
          type: 'org.example.x',
          via: 'federation',
          outcome: 'handled',
          content: '{"k":1}',
        },
      ]);
    },
  );

  it('R-18: is taken once under one transaction ID', async () => {
    const { start, trusting } = await speaker();
    const { alice, meet, events } = await startRemote();
    for (const content of ['{"n":1}', '{"n":2}']) {
      const to = [alice.userId, '--device', '*', '-d', content];
      const running = start([...to, '--txn-id', 'mine', ...trusting, ...LISTEN]);
      meet(running);
      expect((await running.done).code).toBe(0);
    }
    expect(await events()).toMatchObject([{ content: { n: 1 } }]);
  });

  it('sends one message a line, in order', async () => {
    const { start, trusting } = await speaker();
    const { alice, meet, events } = await startRemote();
    const running = start([alice.userId, '--device', '*', '--ndjson', '-j', '4', ...trusting, ...LISTEN], {
      stdin: '{"n":1}\n{"n":2}\n[]\n{"n":3}\n',
    });
    meet(running);
    expect((await running.done).code).toBe(2);
    expect(running.stdout.lines).toMatchObject([
      { status: 'accepted', line: 1, as: '@:example.org' },
      { status: 'accepted', line: 2 },
      { status: 'rejected', line: 3 },
      { status: 'accepted', line: 4 },
    ]);
    expect(await events()).toMatchObject([1, 2, 3].map((n) => ({ content: { n } })));
  });

  it('says in words what was accepted', async () => {
    const peer = await startPeer();
    const { run, trusting } = await speaker();
    const { stdout } = await run([`@:${peer.name}`, '--text', ...trusting]);
    expect(stdout).toMatch(
      new RegExp(`^accepted {2}org.example.x to @:${peer.name} as @:example.org {2}\\(`),
    );
  });

  it('needs no login, and shows the seed nowhere', async () => {
    const peer = await startPeer();
    const { run, trusting } = await speaker();
    const { code, stdout, stderr } = await run(
      [`@:${peer.name}`, '--trace', '--verbose', ...trusting, ...LISTEN],
      {
        env: {},
      },
    );
    expect(code).toBe(0);
    expect(stderr).toContain('/_matrix/federation/v1/send/');
    expect(stdout + stderr + JSON.stringify(peer.asked)).not.toContain(SEED);
  });

  it('shows the transaction with --dry-run, and sends nothing', async () => {
    const peer = await startPeer();
    const { run } = await speaker();
    const { code, stdout } = await run([
      `@:${peer.name}`,
      '-d',
      '{"k":1}',
      '--txn-id',
      'a/b',
      '--dry-run',
      ...LISTEN,
    ]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      v: 1,
      method: 'PUT',
      url: `https://${peer.name}/_matrix/federation/v1/send/a%2Fb`,
      body: {
        origin: 'example.org',
        edus: [{ content: { sender: '@:example.org', messages: { [`@:${peer.name}`]: { '': { k: 1 } } } } }],
      },
    });
    expect(peer.asked).toEqual([]);
  });
});

describe('its help', () => {
  it('says how far the flags that trust other servers reach', async () => {
    const { stdout } = await startCli(['send', '--help']).done;
    const far = 'reach them on this machine and its network';
    const help = stdout.replaceAll(/\s+/g, ' ');
    expect(help).toMatch(
      new RegExp(`--federation-ca <file> with --as: [^:]*, and ${far} --federation-insecure .*, and ${far}`),
    );
  });
});

describe('a server that does not believe us', () => {
  async function refused(args: readonly string[], remote: Awaited<ReturnType<typeof startRemote>>) {
    const { start, trusting } = await speaker();
    const running = start([remote.alice.userId, '--device', '*', ...trusting, ...args]);
    if (args.includes('--listen')) remote.meet(running);
    else remote.nobodyPublishes();
    const { code, stdout } = await running.done;
    expect([code, stdout]).toEqual([1, '']);
    const error = errorOf(running);
    expect(error).toMatchObject({ code: 'refused', errcode: 'M_UNAUTHORIZED', http_status: 401 });
    return error['hint'];
  }

  it('cannot have fetched a key that is not published', async () => {
    const remote = await startRemote();
    expect(await refused(['-q'], remote)).toContain('publish it there with --listen HOST:PORT');
  });

  it('may not like the certificate', async () => {
    const remote = await startRemote({ checks: true });
    expect(await refused([...LISTEN, '--json', '--max-wait', '0'], remote)).toMatch(
      /^the other server came to 127\.0\.0\.1:\d+ for the key, and left without it: .* see --tls-cert$/,
    );
  });

  it.each([
    ['', UNAUTHORIZED],
    [', also where it gives no errcode', { message: 'no' }],
  ])('may not find the key by our name%s', async (_also, body) => {
    const peer = await startPeer((_asked, response) => json(response, 401, body));
    expect(await hintOf([`@:${peer.name}`, ...LISTEN])).toMatch(
      /^nobody asked for the key at 127\.0\.0\.1:\d+: the name example\.org has to lead there/,
    );
  });

  it('may have fetched the key, and know another', async () => {
    let published: Promise<string> = new Promise(() => undefined);
    const peer = await startPeer((_asked, response) => {
      void published
        .then((said) => fetch(`http://${/ at (\S+)/.exec(said)?.[1] ?? ''}/_matrix/key/v2/server`))
        .then(() => json(response, 401, UNAUTHORIZED));
    });
    const hint = await hintOf([`@:${peer.name}`, ...LISTEN], ({ stderr }) => {
      published = stderr.until(/ is published at \S+\n/);
    });
    expect(hint).toMatch(/^the key was fetched .* may remember another ed25519:a_1 of example\.org/);
  });

  async function hintOf(args: readonly string[], meet: (running: Running) => void = () => undefined) {
    const { start, trusting } = await speaker();
    const running = start([...args, ...trusting]);
    meet(running);
    expect((await running.done).code).toBe(1);
    return errorOf(running)['hint'];
  }
});

describe('exit status', () => {
  it.each<[status: number, body: object, code: number]>([
    [403, { errcode: 'M_FORBIDDEN', error: 'no' }, 1],
    [404, { errcode: 'M_UNRECOGNIZED', error: 'no' }, 1],
    [429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 1000 }, 6],
    [500, { errcode: 'M_UNKNOWN', error: 'no' }, 5],
    [307, {}, 1],
  ])('%i %j is %i', async (status, body, code) => {
    const peer = await startPeer((_asked, response) => json(response, status, body));
    const { run, trusting } = await speaker();
    const finished = await run([`@:${peer.name}`, '--retries', '0', '--max-wait', '0', ...trusting]);
    expect([finished.code, finished.stdout]).toEqual([code, '']);
    expect(finished.stderr.includes('it can be repeated')).toBe(code >= 5);
  });

  it('what answers is no Matrix: 5', async () => {
    const peer = await startPeer((_asked, response) => void response.end('<html>'));
    const { run, trusting } = await speaker();
    expect(await run([`@:${peer.name}`, '--retries', '0', ...trusting])).toMatchObject({ code: 5 });
  });

  it('the other server is down: 5', async () => {
    const peer = await startPeer();
    await peer.stop();
    const { run, trusting } = await speaker();
    const { code, stderr } = await run([`@:${peer.name}`, '--retries', '0', ...trusting]);
    expect(code).toBe(5);
    expect(stderr).toContain('connection refused');
  });

  it('its certificate is not trusted: 5', async () => {
    const peer = await startPeer();
    const { files, run } = await speaker();
    await writeFile(files.ca, SELF_SIGNED);
    const { code, stderr } = await run([`@:${peer.name}`, '--federation-ca', files.ca]);
    expect(code).toBe(5);
    expect(stderr).toContain('name the certificate of its issuer with --federation-ca');
  });

  it('any certificate will do with --federation-insecure: 0', async () => {
    const peer = await startPeer();
    const { run } = await speaker();
    expect(await run([`@:${peer.name}`, '--federation-insecure'])).toMatchObject({ code: 0 });
  });

  it('it is on this machine, which was not allowed: 5', async () => {
    const peer = await startPeer();
    const { run } = await speaker();
    const { code, stderr } = await run([`@:${peer.name}`]);
    expect(code).toBe(5);
    expect(stderr).toContain('127.0.0.1 is no public address');
    expect(stderr).toContain('--federation-insecure');
    expect(peer.asked).toEqual([]);
  });

  it('interrupted: 130, and the key is published no more', async () => {
    const peer = await startPeer(() => undefined);
    const { start, trusting } = await speaker();
    const running = start([`@:${peer.name}`, ...trusting, ...LISTEN]);
    await peer.arrived(1);
    running.signal('SIGINT');
    const { code, stderr } = await running.done;
    expect(code).toBe(130);
    const url = `http://${/ is published at (\S+)/.exec(stderr)?.[1] ?? ''}/_matrix/key/v2/server`;
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('refused before anything is sent: 2', () => {
  const TO = ['@:other.example', ...TYPE];
  const AS = ['--as', '@:example.org'];

  it.each<[args: string[], message: string]>([
    [['--signing-key', 'a.key'], '--signing-key goes with --as'],
    [['--listen', 'localhost:1'], '--listen goes with --as'],
    [['--federation-insecure'], '--federation-insecure goes with --as'],
    [AS, '--as @:example.org needs the signing key of example.org'],
    [['--as', '@a:example.org', '--signing-key', 'a.key'], '--as: @a:example.org is a user'],
    [['--as', 'example.org', '--signing-key', 'a.key'], 'example.org'],
    [[...AS, '--signing-key', 'a.key', '--curl'], '--curl does not go with --as'],
    [[...AS, '--signing-key', 'a.key', '--listen', '8448'], "--listen: '8448' is not HOST:PORT"],
    [[...AS, '--signing-key', 'a.key', '--listen', '::1:8448'], "--listen: '::1:8448' is not HOST:PORT"],
    [[...AS, '--signing-key', 'a.key', '--listen', 'a:65536'], "--listen: 'a:65536' is not HOST:PORT"],
    [[...AS, '--signing-key', 'a.key', '--tls-cert', 'c', '--tls-key', 'k'], '--tls-cert is for --listen'],
    [[...AS, '--signing-key', 'a.key', '--listen', 'a:1', '--tls-key', 'k'], 'belong together'],
    [[...AS, '--signing-key', '-', '--ndjson'], '--ndjson and --signing-key - both read stdin'],
    [[...AS, '--signing-key', '-', '-d', '@-'], '-d @- and --signing-key - both read stdin'],
    [[...AS, '--signing-key', '/dev/null/a.key'], 'cannot read the signing key from /dev/null/a.key'],
    [[...AS, '--signing-key', '/dev/null'], '/dev/null holds no signing key'],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await startCli(['send', ...TO, ...args]).done;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.each<[what: string, args: string[], message: string]>([
    ['a recipient of the server itself', ['@a:example.org', '--device', 'D'], 'sends nothing to itself'],
    [
      'an address where nothing can listen',
      ['@:a.test', '--listen', '192.0.2.1:0'],
      'cannot listen on 192.0.2.1:0',
    ],
    [
      'no authority',
      ['@:a.test', '--federation-ca', '/dev/null'],
      '--federation-ca holds no PEM certificate',
    ],
    [
      'no certificate',
      ['@:a.test', ...LISTEN, '--tls-cert', '/dev/null', '--tls-key', '/dev/null'],
      'the certificate cannot be used',
    ],
  ])('%s', async (_what, args, message) => {
    const { run } = await speaker();
    const { code, stdout, stderr } = await run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it('a key file that is none, which is not shown', async () => {
    const { files, run } = await speaker();
    await writeFile(files.key, `ed25519 a_1 ${SEED}x\n`);
    const { code, stderr } = await run(['@:a.test']);
    expect(code).toBe(2);
    expect(stderr).toContain('line 1 is no signing key');
    expect(stderr).not.toContain(SEED);
  });
});

/** The last line on stderr. */
function errorOf({ stderr }: Running): Record<string, unknown> {
  const line = stderr.text.trimEnd().split('\n').at(-1) ?? '';
  return (JSON.parse(line) as { error: Record<string, unknown> }).error;
}

const UNAUTHORIZED = { errcode: 'M_UNAUTHORIZED', error: 'no' };
