/** What the executable needs is in it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { BINARY, runBinary, startBinary, type RunningBinary } from '../kit/binary.js';
import { makeTempDir } from '../kit/temp-dir.js';

interface Ready {
  readonly homeserver: string;
  readonly users: readonly { readonly user_id: string; readonly access_token: string }[];
}

it('holds SQLite: a message that serve --data took is there after kill -9', async () => {
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

it('names no file of the machine that built it', async () => {
  const checkout = fileURLToPath(new URL('../../', import.meta.url));
  const bytes = await readFile(BINARY);
  expect(bytes.includes('/$bunfs/root/')).toBe(true); // the search finds what is there
  expect(bytes.includes(checkout)).toBe(false);
});
