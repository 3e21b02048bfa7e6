import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/commands/index.js';
import { demoSteps } from '../../src/demo/steps.js';
import { runBinary, startBinary, type BinaryResult } from '../kit/binary.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

let home: TempDir;
beforeAll(async () => {
  home = await makeTempDir();
});
afterAll(() => home.remove());

describe('the demo', () => {
  let result: BinaryResult;
  beforeAll(async () => {
    result = await runBinary(['demo'], { home: home.path });
  });

  it('ends well', () => {
    expect(result).toMatchObject({ code: 0, stderr: '' });
  });

  it("ends with the server's answer as it came through /sync", () => {
    const [server] = /(?<=is the homeserver of )\S+/.exec(result.stdout) ?? [];
    const event = JSON.parse(result.stdout.trimEnd().split('\n').at(-1) ?? '') as unknown;
    expect(event).toMatchObject({
      sender: `@:${server ?? ''}`,
      type: 'mx2s.pong',
      content: { nonce: 'from the demo', server },
      server_user: true,
      own_server: true,
    });
  });

  it('shows every step with its command line', () => {
    const said = [...result.stdout.matchAll(/^# (.*)$/gm)].map(([, text]) => text);
    const steps = demoSteps({ homeserver: 'http://x', serverName: 'x', users: [] });
    expect(said).toEqual(['An embedded homeserver, in the background:', ...steps.map(({ say }) => say)]);
  });
});

it('runs every command that does something a tour can show', () => {
  const steps = demoSteps({ homeserver: 'http://x', serverName: 'x', users: [] });
  const shown = new Set(['serve', ...steps.map(({ argv }) => argv[0])]);
  const silent = new Set(['demo', 'schema', 'completion', 'exit-codes', 'keygen', 'gateway']);
  expect(COMMANDS.map(({ name }) => name).filter((name) => !shown.has(name) && !silent.has(name))).toEqual(
    [],
  );
});

it('stops what it started when it is interrupted', async () => {
  const demo = startBinary(['demo'], { home: home.path });
  const line = await demo.lineOf('stdout', /is the homeserver of/);
  demo.kill('SIGINT');
  const { code } = await demo.result;
  expect(code).toBe(130);
  const [homeserver = ''] = line.split(' ');
  await expect(fetch(`${homeserver}/_matrix/client/versions`)).rejects.toThrow();
});
