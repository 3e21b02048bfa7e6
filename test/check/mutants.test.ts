/** `mx2s check` against `serve` with one rule broken: each is caught, and nothing else is blamed. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REQUIREMENTS, REQUIREMENT_IDS } from '../../src/check/requirements.js';
import type { Ready } from '../commands/serve-kit.js';
import { startBinary } from '../kit/binary.js';
import { runCli } from '../kit/run-cli.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';
import { MUTANTS } from './mutants.js';
import { buildProgram, rewritten } from './test-build.js';

let temp: TempDir;
beforeAll(async () => {
  temp = await makeTempDir();
});
afterAll(() => temp.remove());

describe.concurrent('check', { timeout: 120_000 }, () => {
  it('blames a server for nothing when no rule is broken', async () => {
    const results = await check(await buildProgram(join(temp.path, 'as-it-is')));
    const passed = results.filter(({ verdict }) => verdict === 'pass');
    expect(passed.map(({ requirement }) => requirement)).toEqual(PROVABLE);
    const others = results.filter(({ verdict }) => verdict !== 'pass');
    expect(others.filter(({ verdict, seen }) => verdict !== 'skipped' || seen === '')).toEqual([]);
  });

  for (const [index, { requirement, does, also = [], ...rewrite }] of MUTANTS.entries()) {
    it(`catches a server that ${does}`, async () => {
      const program = await buildProgram(join(temp.path, `mutant-${String(index)}`), rewrite);
      const broken = [requirement, ...also];
      const flags = LOOKED_AT_WHOLE.includes(requirement) ? [] : ['--only', broken.join(',')];
      const failed = (await check(program, flags)).filter(({ verdict }) => verdict === 'fail');
      expect(failed.map((each) => each.requirement).sort()).toEqual(broken.sort());
    });
  }
});

describe('a build that breaks a rule', () => {
  const rewrite = { file: 'a.ts', find: 'b', replace: 'd' };

  it('has one place rewritten', () => {
    expect(rewritten('a b c', rewrite)).toBe('a d c');
  });

  it.each([
    ['a c', 'src/a.ts: what a mutant rewrites does not stand there, and must exactly once: b'],
    ['b b b', 'src/a.ts: what a mutant rewrites stands 3 times there, and must exactly once: b'],
  ])('is none when the source is %j', (source, complaint) => {
    expect(() => rewritten(source, rewrite)).toThrow(complaint);
  });
});

interface Result {
  readonly requirement: string;
  readonly verdict: 'pass' | 'fail' | 'inconclusive' | 'skipped';
  readonly seen: string;
}

/** Starts `serve` of a build, and gives what `check` finds out about it. */
async function check(program: string, flags: readonly string[] = []): Promise<readonly Result[]> {
  const home = await makeTempDir();
  const server = startBinary(['serve', ...SERVE_FLAGS], { home: home.path, program });
  try {
    const ready = JSON.parse(await server.lineOf('stdout', /"ready":true/)) as Ready;
    const [alice, bob] = ready.users;
    const { stdout, stderr } = await runCli(['check', ready.homeserver, ...CHECK_FLAGS, ...flags], {
      env: {
        MX2S_CONFIG_DIR: join(home.path, 'mx2s'),
        MX2S_HOMESERVER: ready.homeserver,
        MX2S_ACCESS_TOKEN: alice?.access_token,
        MX2S_OTHER_ACCESS_TOKEN: bob?.access_token,
      },
    });
    if (stdout === '') throw new Error(`check found nothing out: ${stderr}`);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Result);
  } finally {
    await server.stop();
    await home.remove();
  }
}

const PROVABLE = REQUIREMENT_IDS.filter((id) => REQUIREMENTS[id].provable !== 'never');
/** Takes longer, and shows that no other rule is blamed. */
const LOOKED_AT_WHOLE: readonly string[] = ['R-10', 'R-16', 'R-25'];
const SERVE_FLAGS = ['--allow-registration', '--federation-port', '0', '--federation-insecure'];
const CHECK_FLAGS = ['--allow-register', '--federation', '--federation-insecure', '--format', 'json'];
