/** The scripts of `examples/ci/`, run as they stand. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BINARY, isolatedEnv } from '../kit/binary.js';
import { readAction } from '../kit/composite-action.js';
import { PROJECT } from '../kit/project-copy.js';
import { makeTempDir, type TempDir } from '../kit/temp-dir.js';

const SCRIPTS = join(PROJECT, 'examples/ci');
let home: TempDir;

beforeEach(async () => {
  home = await makeTempDir();
  await mkdir(join(home.path, 'bin'));
  await symlink(BINARY, join(home.path, 'bin/mx2s')); // as npm installs it
});

afterEach(() => home.remove());

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command of a shell, in an empty folder from where the scripts are `$ci/NAME`. */
function sh(command: string): Promise<Finished> {
  const env = isolatedEnv(home.path);
  const PATH = `${join(home.path, 'bin')}:${env['PATH'] ?? ''}`;
  return new Promise((resolve) => {
    const options = { cwd: home.path, env: { ...env, PATH, ci: SCRIPTS } };
    const child = execFile('sh', ['-c', command], options, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode, stdout, stderr }),
    );
  });
}

/** Puts a script in the place of `mx2s`. */
async function stub(script: string): Promise<void> {
  await rm(join(home.path, 'bin/mx2s'));
  await writeFile(join(home.path, 'bin/mx2s'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
}

describe('client-test.sh', () => {
  it('gives the tests a homeserver, and takes their status', async () => {
    const client = `mx2s request "@:$MX2S_SERVER_NAME" -t org.example.hello -d "{}" --raw --quiet; exit 3`;
    expect(await sh(`"$ci/client-test.sh" sh -c '${client}'`)).toEqual({
      status: 3,
      stdout: '{}\n',
      stderr: '',
    });
    expect(await readFile(join(home.path, 'serve.log'), 'utf8')).toContain('"type":"org.example.hello"');
  });

  it('wants a command', async () => {
    expect(await sh('"$ci/client-test.sh"')).toMatchObject({ status: 2, stdout: '' });
  });
});

describe('background.sh', () => {
  it('uses a server, and leaves none behind', async () => {
    const { status, stdout } = await sh('TMPDIR=$HOME "$ci/background.sh"');
    expect(stdout.split('\n').slice(0, 2)).toEqual(['{"n":1}', '{"n":2}']);
    expect(stdout).toContain('"type":"org.example.hello"');
    expect(status).toBe(0);
    expect(await readdir(home.path)).toEqual(['bin', 'mx2s']);
  });

  it('ends when the server cannot start', async () => {
    await stub('echo no >&2; exit 5');
    const failed = await sh('"$ci/background.sh"');
    expect(failed).toMatchObject({ status: 1, stdout: '', stderr: 'no\n' });
  });
});

describe('check-junit.sh', () => {
  it('leaves a report of what was looked at', async () => {
    const checked = await sh(
      'mx2s serve -- sh -c \'"$ci/check-junit.sh" "$MX2S_HOMESERVER" --only R-9,R-12\'',
    );
    expect(checked).toMatchObject({ status: 0, stdout: '2 requirements, 0 failed: mx2s-check.xml\n' });
    const report = await readFile(join(home.path, 'mx2s-check.xml'), 'utf8');
    expect(report).toMatch(/^<\?xml .*<testcase .*R-9.*<testcase .*R-12/s);
  });

  it('takes flags without a URL', async () => {
    const checked = await sh('mx2s serve -- sh -c \'"$ci/check-junit.sh" --only R-9\'');
    expect(checked).toMatchObject({ status: 0, stdout: '1 requirements, 0 failed: mx2s-check.xml\n' });
  });

  it('takes the status of check', async () => {
    await stub(`echo '<testcase name="R-9">'; echo '<failure/></testcase>'; exit 1`);
    expect(await sh('"$ci/check-junit.sh" http://127.0.0.1:1')).toMatchObject({
      status: 1,
      stdout: '1 requirements, 1 failed: mx2s-check.xml\n',
    });
  });

  it('leaves no report when nothing could be looked at', async () => {
    const failed = await sh('REPORT=report.xml "$ci/check-junit.sh" http://127.0.0.1:1');
    expect(failed).toMatchObject({ status: 4, stdout: '' });
    expect(await readdir(home.path)).toEqual(['bin']);
  });

  it('removes no link', async () => {
    const failed = await sh('ln -s report.xml link; REPORT=link "$ci/check-junit.sh" http://127.0.0.1:1');
    expect(failed).toMatchObject({ status: 4, stdout: '' });
    expect(await readdir(home.path)).toContain('link');
  });
});

describe('the page', () => {
  it('uses the action as it is', async () => {
    const page = await readFile(join(SCRIPTS, 'README.md'), 'utf8');
    const steps = [...page.matchAll(/^```yaml\n(.*?)^```/gms)].flatMap(
      ([, yaml = '']) => parse(yaml) as Step[],
    );
    const uses = steps.filter(({ uses }) => uses === 'OWNER/mx2s@REF');
    expect(uses).toHaveLength(2);
    const { inputs, outputs } = readAction(join(PROJECT, 'action.yml'));
    for (const step of uses)
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(step.with)));
    const read = [...page.matchAll(/steps\.homeserver\.outputs\.(\w+)/g)].map(([, name]) => name);
    expect(read).toEqual(Object.keys(outputs));
  });

  it('names every script', async () => {
    const page = await readFile(join(SCRIPTS, 'README.md'), 'utf8');
    const named = [...page.matchAll(/\]\(([\w-]+\.sh)\)/g)].map(([, name]) => name);
    const scripts = (await readdir(SCRIPTS)).filter((name) => name.endsWith('.sh'));
    expect(named.sort()).toEqual(scripts.sort());
  });
});

interface Step {
  readonly uses?: string;
  readonly with: Readonly<Record<string, string>>;
}
