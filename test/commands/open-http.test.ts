import { rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AUTHORITY, GOOD, KEY } from '../http/certificates.js';
import { json, startLoopbackServer, type LoopbackServer, type Respond } from '../http/loopback-server.js';
import { runCli, type Finished } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';

const whoami: Respond = (_asked, response) => json(response, 200, { user_id: '@alice:example.org' });

function run(
  server: Pick<LoopbackServer, 'url'>,
  flags: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const credentials = { MX2S_HOMESERVER: server.url, MX2S_ACCESS_TOKEN: 'secret-token' };
  return runCli(['whoami', '--retries', '0', ...flags], { env: { ...credentials, ...env } });
}

async function tempFolder(): Promise<string> {
  const folder = await makeTempDir();
  onTestFinished(() => folder.remove());
  return folder.path;
}

async function fileOf(text: string): Promise<string> {
  const path = join(await tempFolder(), 'file');
  await writeFile(path, text);
  return path;
}

describe('--cacert and --insecure', () => {
  it.each([
    ['neither', async () => [], 5],
    ['the authority', async () => ['--cacert', await fileOf(AUTHORITY)], 0],
    ['no check at all', async () => ['--insecure'], 0],
    ['a file that is not there', async () => ['--cacert', '/nonexistent/ca.pem'], 2],
    ['a file that holds no certificate', async () => ['--cacert', await fileOf('x')], 2],
  ])('with %s', async (_name, flags, expected) => {
    const server = await startLoopbackServer(whoami, { cert: GOOD, key: KEY });
    const { code, stderr } = await run(server, await flags());
    expect(code).toBe(expected);
    expect(server.asked).toHaveLength(expected === 0 ? 1 : 0);
    if (expected === 2) expect(stderr).toMatch(/certificate/);
  });
});

/** This machine under a name that is not that of loopback, which never goes through a proxy. */
function elsewhere({ port }: { readonly port: number }, scheme = 'http'): { url: string } {
  return { url: `${scheme}://0.0.0.0:${String(port)}` };
}

describe('the proxy', () => {
  it('of --proxy is used', async () => {
    const proxy = await startLoopbackServer(whoami);
    expect((await run(elsewhere({ port: 1 }), ['--proxy', proxy.url])).code).toBe(0);
    expect(proxy.asked).toMatchObject([{ path: 'http://0.0.0.0:1/_matrix/client/v3/account/whoami' }]);
  });

  it.each(['nope', 'nope/', '::::', 'ftp://a:1'])('%s is none', async (proxy) => {
    const { code, stderr } = await run({ url: 'http://127.0.0.1:1' }, ['--proxy', proxy]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no http or https URL')]);
  });

  it.each(['NO_PROXY', 'no_proxy'])('is passed by where %s says so', async (name) => {
    const [proxy, server] = [await startLoopbackServer(whoami), await startLoopbackServer(whoami)];
    expect((await run(elsewhere(server), ['--proxy', proxy.url], { [name]: '0.0.0.0' })).code).toBe(0);
    expect([proxy.asked.length, server.asked.length]).toEqual([0, 1]);
  });

  it.each(['HTTPS_PROXY', 'https_proxy'])('of %s is used for https', async (name) => {
    const gone = await startLoopbackServer(whoami);
    await gone.stop();
    const { code, stderr } = await run(elsewhere({ port: 1 }, 'https'), [], { [name]: gone.url });
    expect([code, stderr]).toEqual([5, expect.stringContaining('connection refused by the proxy')]);
  });
});

describe('the wire log', () => {
  it('goes to a file that only its owner reads, at its end, or to stderr, or to both', async () => {
    const server = await startLoopbackServer(whoami);
    const file = join(await tempFolder(), 'trace');
    expect((await run(server, ['--trace-file', file])).stderr).toBe('');
    const first = await readFile(file, 'utf8');
    expect(first).toContain('> authorization: Bearer ***\n');
    const { stderr } = await run(server, ['--trace', '--trace-file', file]);
    expect(await readFile(file, 'utf8')).toBe(first + stderr);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('that cannot be written any more ends with a warning, and the command goes on', async () => {
    const folder = await makeTempDir();
    const server = await startLoopbackServer((...call) => {
      rmSync(folder.path, { recursive: true });
      whoami(...call);
    });
    const { code, stdout, stderr } = await run(server, ['--trace-file', join(folder.path, 'trace')]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('@alice:example.org')]);
    expect(stderr).toMatch(/^warning: cannot write the wire log to [^\n]*; it ends here\n$/);
  });

  it('that cannot be written is told before anything is sent', async () => {
    const server = await startLoopbackServer(whoami);
    const { code, stderr } = await run(server, ['--trace-file', '/nonexistent/trace']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('unreadable_file')]);
    expect(server.asked).toEqual([]);
  });
});

describe('a wait', () => {
  it('that is short is told with --verbose only', async () => {
    const limited = (retryAfter: string): Respond => {
      return (asked, response, index) =>
        index === 0 ? json(response, 429, {}, { 'retry-after': retryAfter }) : whoami(asked, response, index);
    };
    const short = await startLoopbackServer(limited('0'));
    expect((await run(short, [])).stderr).toBe('');
    const verbose = await startLoopbackServer(limited('0'));
    expect((await run(verbose, ['--verbose'])).stderr).toBe('attempt 1 failed (rate limited), next in 1 s\n');
  });

  it('that would be longer than --max-wait ends with 6', async () => {
    const server = await startLoopbackServer((_asked, response) =>
      json(response, 429, {}, { 'retry-after': '3' }),
    );
    expect((await run(server, ['--max-wait', '2s'])).code).toBe(6);
    expect(server.asked).toHaveLength(1);
  });
});
