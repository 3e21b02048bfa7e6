/** What the executable needs is in it. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BINARY, runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';

const CHECKOUT = new URL('../../', import.meta.url);
const SQLITE = new URL('node_modules/node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm', CHECKOUT);
const ELF_MACHINE_OFFSET = 18;

interface Ready {
  readonly homeserver: string;
  readonly users: readonly { readonly user_id: string; readonly access_token: string }[];
}

it('a message that serve --data took is there after kill -9', async () => {
  const { path: home, remove } = await makeTempDir();
  onTestFinished(remove);
  const serve = async (): Promise<{ server: RunningBinary; envs: Record<string, string>[] }> => {
    const server = startBinary(['serve', '--data', join(home, 'x.db'), '--server-name', 'example.org'], {
      home,
    });
    onTestFinished(() => server.stop());
    const ready = JSON.parse(await server.lineOf('stdout', /"ready":true/)) as Ready;
    const envOf = ({ access_token }: Ready['users'][number]): Record<string, string> => ({
      MX2S_HOMESERVER: ready.homeserver,
      MX2S_ACCESS_TOKEN: access_token,
    });
    return { server, envs: ready.users.map(envOf) };
  };

  const first = await serve();
  const send = ['send', '@bob:example.org', '--device', '*', '-t', 'org.example.n', '-d', '{"n":1}'];
  expect(await runBinary(send, { home, env: first.envs[0] })).toMatchObject({ code: 0 });
  await first.server.stop(); // by SIGKILL

  const again = await serve();
  const listen = ['listen', '--drain', '--any-sender', '--raw'];
  expect(await runBinary(listen, { home, env: again.envs[1] })).toMatchObject({
    stdout: '{"n":1}\n',
    code: 0,
  });
});

describe.each([
  ['x64', 62], // ELF's numbers of machines: EM_X86_64 and EM_AARCH64
  ['arm64', 183],
])('the executable for %s', (arch, machine) => {
  const bytes = readFileSync(join(dirname(BINARY), `mx2s-linux-${arch}`));

  it('is for that machine', () => {
    expect(bytes.toString('latin1', 1, 4)).toBe('ELF');
    expect(bytes.readUInt16LE(ELF_MACHINE_OFFSET)).toBe(machine);
  });

  it('holds the program and its packages', () => {
    for (const text of ['hear it answer as itself', 'Fastify']) expect(bytes.includes(text)).toBe(true);
    expect(bytes.includes(readFileSync(SQLITE))).toBe(true);
  });

  it('names no file of the machine that built it', () => {
    expect(bytes.includes(fileURLToPath(CHECKOUT))).toBe(false);
  });
});
