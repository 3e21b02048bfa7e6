/** `serve` among other servers: its flags, and two of it talking. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { signRequest } from '../../src/federation/signed-request.js';
import { parseCertificates } from '../../src/http/certificates.js';
import { openTransport } from '../../src/http/transport.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseJson } from '../../src/wire/json.js';
import { startPeer } from '../federation/peer.js';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';
import { runCli } from '../kit/run-cli.js';
import { directToDevice, edusOf } from '../server/federation-kit.js';
import { call, defined, sendTo, serve, tempDir, type Ready } from './serve-kit.js';

const INSECURE = ['--federation-port', '0', '--federation-insecure'];

async function write(files: Readonly<Record<string, string>>): Promise<(name: string) => string> {
  const directory = await tempDir();
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return (name) => join(directory, name);
}

/** Asks the TLS listener for its version; trusts any certificate, or those of an authority. */
async function versionOf(ready: Ready, caCertPem?: string): Promise<string> {
  const trusted = caCertPem === undefined ? undefined : parseCertificates(caCertPem);
  const transport = openTransport(trusted === undefined ? { insecure: true } : { trusted });
  try {
    const url = `${defined(ready.federation)}/_matrix/federation/v1/version`;
    return (await transport.exchange({ method: 'GET', url })).body;
  } finally {
    await transport.close();
  }
}

describe('--federation-port', () => {
  it('listens there over TLS, and is what the server is called by', async () => {
    const ready = defined((await serve(['--federation-port', '0'])).ready);
    expect(ready).toMatchObject({
      homeserver: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      federation: `https://${ready.server_name}`,
    });
    expect(await versionOf(ready)).toContain('"name":"mx2s"');
    await expect(versionOf(ready, AUTHORITY)).rejects.toThrow('self-signed');
  });

  it('is told to people, too', async () => {
    const { stdout } = await serve(['--federation-port', '0', '--server-name', 'example.org', '--text']);
    expect(await stdout.until(/Ctrl-C/)).toMatch(/\n {7}https:\/\/127\.0\.0\.1:\d+ {2}for other servers\n/);
  });

  it('shows the certificate of --tls-cert', async () => {
    const file = await write({ cert: GOOD, key: KEY });
    const flags = ['--federation-port', '0', '--tls-cert', file('cert'), '--tls-key', file('key')];
    expect(await versionOf(defined((await serve(flags)).ready), AUTHORITY)).toContain('"name":"mx2s"');
  });

  it('can be one that is taken', async () => {
    const { port } = new URL(defined(defined((await serve(['--federation-port', '0'])).ready).federation));
    const { code, stderr } = await runCli(['serve', '--federation-port', port, '--text']);
    expect([code, stderr]).toEqual([
      2,
      'hint: choose another --host or --federation-port; port 0 takes any free one\n' +
        `mx2s: cannot listen on 127.0.0.1:${port}: the port is taken\n`,
    ]);
  });
});

it('--signing-key is what the server signs with', async () => {
  const file = await write({});
  const { stdout } = await runCli(['keygen', file('key')]);
  const { key_id, public_key } = JSON.parse(stdout) as { key_id: string; public_key: string };
  const ready = defined((await serve(['--signing-key', file('key')])).ready);
  const answer = await (await fetch(`${ready.homeserver}/_matrix/key/v2/server`)).json();
  expect(answer).toMatchObject({ verify_keys: { [key_id]: { key: public_key } } });
});

describe('other servers', () => {
  it('are not looked for on this machine', async () => {
    const peer = await startPeer();
    const { ready, stderr } = await serve();
    const answer = await sendTo(defined(ready), `@:${peer.name}`, '', 'org.example.x', {});
    expect(answer.status).toBe(200);
    expect(await stderr.until(/\n/)).toMatch(
      /^cannot send to 127\.0\.0\.1:\d+ \(attempt 1\): .*127\.0\.0\.1 is no public address and not connected to; next in 1 s\n$/,
    );
    expect(peer.asked).toEqual([]);
  });

  it('are sent to on this machine, whatever their certificate, with --federation-insecure', async () => {
    const peer = await startPeer();
    const { ready } = await serve(['--federation-insecure']);
    await sendTo(defined(ready), `@:${peer.name}`, '', 'org.example.x', { a: 1 });
    await peer.arrived(1);
    expect(edusOf(peer)).toMatchObject([{ content: { messages: { [`@:${peer.name}`]: { '': { a: 1 } } } } }]);
  });

  it('are in the wire log, which shows no signature', async () => {
    const peer = await startPeer();
    const { ready, stderr } = await serve(['--federation-insecure', '--trace']);
    await sendTo(defined(ready), `@:${peer.name}`, '', 'org.example.x', { a: 1 });
    await peer.arrived(1);
    const signature = defined(/sig="([^"]+)"/.exec(peer.asked[0]?.headers.authorization ?? '')?.[1]);
    const log = await stderr.until(/"pdus":{}}\n/); // to the answer
    expect(log).toMatch(/PUT https:.*\/send\//);
    expect(log).not.toContain(signature);
  });

  it('talk: a message goes there and its answer comes back, device by device', async () => {
    const here = await serve([...INSECURE]);
    const there = await serve([...INSECURE, '--on', 'org.example.*=echo']);
    const [ours, theirs] = [defined(here.ready), defined(there.ready)];
    const alice = defined(ours.users[0]);
    const content = { device_id: alice.device_id };
    await sendTo(ours, `@:${theirs.server_name}`, '*', 'org.example.x', content);
    await there.stdout.until(/"direction":"out".*\n/);
    const facts = { v: 1, type: 'org.example.x', via: 'federation', outcome: 'handled', content };
    const [user, server] = [alice.user_id, `@:${theirs.server_name}`];
    expect(there.stdout.lines.slice(1)).toEqual([
      { ...facts, direction: 'in', sender: user, to: server, device: '' },
      { ...facts, direction: 'out', sender: server, to: user, device: alice.device_id },
    ]);
    const answer = await call(ours, 'GET', '/sync?since=t0&timeout=10000');
    expect(await answer.json()).toMatchObject({
      to_device: { events: [{ sender: server, type: 'org.example.x', content }] },
    });
  });

  it('are told of when what they sent was dropped, to who asks for more', async () => {
    const peer = await startPeer();
    const { ready, stop } = await serve(['--federation-insecure', '--verbose']);
    const { homeserver, server_name } = defined(ready);
    const edus = [
      ...[{ edu_type: 'm.typing' }, { edu_type: 'm.presence' }, { edu_type: 'm.direct_to_device' }],
      directToDevice('@:elsewhere.test', 'org.example.x', {}),
    ];
    const uri = '/_matrix/federation/v1/send/1';
    const content = { origin: peer.name, origin_server_ts: 1, pdus: [], edus };
    const { authorization = '', body = '' } = signRequest(
      {
        method: 'PUT',
        uri,
        destination: parseServerName(server_name),
        content: parseJson(JSON.stringify(content)),
      },
      { serverName: peer.name, keys: [peer.key] },
    );
    const answer = await fetch(`${homeserver}${uri}`, { method: 'PUT', headers: { authorization }, body });
    expect(answer.status).toBe(200);
    expect((await stop()).stderr).toBe(
      'dropped EDUs of other servers: 2 of types that are not for us, 1 malformed, 1 spoofed\n',
    );
  });

  it('are told of when they are refused, to who asks for more', async () => {
    const { ready, stderr } = await serve(['--verbose']);
    const url = `${defined(ready).homeserver}/_matrix/federation/v1/send/1`;
    expect((await fetch(url, { method: 'PUT', body: '{}' })).status).toBe(401);
    expect(await stderr.until(/\n/)).toMatch(/^refused a request of another server: there is no X-Matrix/);
  });
});

describe('refuses', () => {
  it.each<[flags: string[], message: string]>([
    [['--federation-port', '65536'], '--federation-port: there is no port 65536'],
    [['--tls-cert', 'cert'], '--tls-cert and --tls-key belong together'],
    [['--tls-key', 'key', '--federation-port', '0'], '--tls-cert and --tls-key belong together'],
    [['--tls-cert', 'cert', '--tls-key', 'key'], '--tls-cert is for --federation-port'],
    [['--signing-key', 'nowhere'], 'cannot read the signing key from nowhere: no such file'],
    [['--federation-ca', 'nowhere'], 'cannot read certificates from nowhere: no such file'],
  ])('%j', async (flags, message) => {
    const { code, stdout, stderr } = await runCli(['serve', ...flags]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });

  it.each<[flag: string, message: string, more: string[]]>([
    ['--signing-key', 'line 1 is no signing key', []],
    ['--federation-ca', '--federation-ca holds no PEM certificate that can be read', []],
    ['--tls-cert', 'the certificate cannot be used', ['--federation-port', '0', '--tls-key', KEY]],
  ])('a file that holds something else: %s', async (flag, message, more) => {
    const file = await write({ wrong: 'something else\n', key: KEY });
    const flags = more.map((each) => (each === KEY ? file('key') : each));
    const { code, stderr } = await runCli(['serve', flag, file('wrong'), ...flags]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(stderr).not.toContain('something else');
  });
});
