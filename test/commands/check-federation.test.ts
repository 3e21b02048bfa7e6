/** `mx2s check --federation`, in front of `serve`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AUTHORITY, GOOD, KEY, SELF_SIGNED } from '../http/certificates.js';
import { runCli, type Finished } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';
import { serve, type Ready } from './serve-kit.js';

/** A folder with certificates and a key, and a server in it that others may reach. */
async function setUp(trust: (file: (name: string) => string) => readonly string[]) {
  const { path: folder, remove } = await makeTempDir();
  onTestFinished(remove);
  const file = (name: string) => join(folder, name);
  const texts = { 'ca.pem': AUTHORITY, 'tls.crt': GOOD, 'tls.key': KEY, 'self.crt': SELF_SIGNED };
  for (const [name, text] of Object.entries(texts)) await writeFile(file(name), text);
  const { ready } = await serve(['--federation-port', '0', ...trust(file)]);
  if (ready === undefined) throw new Error('there is no ready line');
  const check = (args: readonly string[]) => checkAs(ready, folder, args);
  return { file, ready, check };
}

function checkAs(ready: Ready, folder: string, args: readonly string[]): Promise<Finished> {
  const env = {
    MX2S_CONFIG_DIR: join(folder, 'mx2s'),
    MX2S_HOMESERVER: ready.homeserver,
    MX2S_ACCESS_TOKEN: ready.users[0]?.access_token,
  };
  return runCli(['check', ready.homeserver, '--json', ...args], { env });
}

function verdictsIn({ stdout }: Finished): string[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { requirement, verdict } = JSON.parse(line) as { requirement: string; verdict: string };
    return `${requirement} ${verdict}`;
  });
}

const FEDERATED = 'R-9,R-10,R-11,R-12,R-13,R-14,R-16,R-17,R-18,R-19,R-23,R-27,R-28,R-30,R-35,R-36';
const INSECURE = () => ['--federation-insecure'];

describe('mx2s check --federation', () => {
  it('finds nothing wrong with serve, and nothing that it cannot tell', async () => {
    const { check } = await setUp(INSECURE);
    const finished = await check(['--federation', '--federation-insecure', '--only', FEDERATED]);
    expect(verdictsIn(finished)).toEqual(FEDERATED.split(',').map((id) => `${id} pass`));
    expect(finished).toMatchObject({
      code: 0,
      // and not a word of EDUs that did not come
      stderr: expect.stringMatching(
        /^the second server (127\.0\.0\.1:\d+) listens on \1\n\d+ pass.*\n$/,
      ) as string,
    });
  });

  it('shows with --verbose what it heard, and no token', async () => {
    const { check, ready } = await setUp(INSECURE);
    const flags = ['--federation', '--federation-insecure', '--only', 'R-14', '--verbose'];
    const { stderr } = await check(flags);
    expect(stderr).toMatch(/^< \{"content":\{"message_id":"\w{32}","messages":\{"@:127/m);
    expect(stderr).not.toContain(ready.users[0]?.access_token);
  });

  it('has the certificate, the key and the name that it is given, and trusts whom it is told to', async () => {
    const { check, file } = await setUp((path) => [
      ...['--federation-ca', path('ca.pem'), '--tls-cert', path('tls.crt'), '--tls-key', path('tls.key')],
    ]);
    expect(await runCli(['keygen', file('a.key')])).toMatchObject({ code: 0 });
    const own = ['--tls-cert', file('tls.crt'), '--tls-key', file('tls.key'), '--signing-key', file('a.key')];
    const flags = ['--federation', '--federation-ca', file('ca.pem'), '--only', 'R-14,R-28', ...own];
    expect(verdictsIn(await check(flags))).toEqual(['R-14 pass', 'R-28 pass']);

    // the server can fetch no key from a name that leads nowhere
    const name = ['--federation-server-name', 'second.invalid'];
    const named = [...flags, '--listen', '127.0.0.1:0', ...name, '--timeout', '200ms'];
    const finished = await check(named);
    expect(verdictsIn(finished)).toEqual(['R-14 inconclusive', 'R-28 inconclusive']);
    expect(finished.stderr).toMatch(
      /^the second server second\.invalid listens on (127\.0\.0\.1:\d+)\nno EDU came from second\.invalid to the homeserver or back: does that name lead to \1 from there, /,
    );
  });

  it.each([
    ['whose certificate it cannot check', (ca: string) => ['--federation-ca', ca], /certificate/],
    ['on this machine, unless it is allowed to', () => [], /no public address/],
  ])('goes to no server %s', async (_what, flags, said) => {
    const { check, file } = await setUp(INSECURE);
    const finished = await check(['--federation', ...flags(file('ca.pem'))]);
    expect(finished).toMatchObject({ code: 5, stdout: '', stderr: expect.stringMatching(said) as string });
  });

  it.each<[string, readonly string[], string]>([
    ['--listen goes with --federation', ['--listen', '127.0.0.1:0'], 'add --federation'],
    ['--tls-key goes with --federation', ['--tls-key', 'a'], 'add --federation'],
    ['--federation-insecure goes with --federation', ['--federation-insecure'], 'add --federation'],
    [
      '--tls-cert and --tls-key belong together',
      ['--federation', '--tls-cert', 'a'],
      'give both, or neither',
    ],
    ["--listen: 'here' is not HOST:PORT", ['--federation', '--listen', 'here'], 'for example'],
    [
      '--listen 0.0.0.0: nobody is found by that name',
      ['--federation', '--listen', '0.0.0.0:0'],
      '--federation-server-name NAME',
    ],
    ['"a_b" is not a valid server name', ['--federation', '--federation-server-name', 'a_b'], ''],
  ])('refuses: %s', async (message, flags, hint) => {
    const { code, stderr } = await runCli(['check', 'http://127.0.0.1:1', '--text', ...flags]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`(?=[^]*${hint})[^]*${message.replaceAll('.', '\\.')}`),
      ) as string,
    });
  });
});
