/** `action.yml`: its steps are run as a runner runs them; only what `npm ci` would download is put there by hand. */
import { chmod, copyFile, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isolatedEnv } from './kit/binary.js';
import { Job, readAction } from './kit/composite-action.js';
import { PROJECT, copyProject } from './kit/project-copy.js';
import { makeTempDir, type TempDir } from './kit/temp-dir.js';

const { inputs, runs } = readAction(join(PROJECT, 'action.yml'));
let temp: TempDir;
/** Where a runner has put the action: a clean checkout, until the first job has built it. */
let action: string;

beforeAll(async () => {
  temp = await makeTempDir();
  action = join(temp.path, 'action');
  await copyProject(action);
  await copyFile(join(PROJECT, 'action.yml'), join(action, 'action.yml'));
  await program('npm', NPM);
});

afterAll(() => temp.remove());

describe('the action', () => {
  it('runs scripts only, and gives them what it is given through their environment', () => {
    expect(runs.using).toBe('composite');
    for (const step of runs.steps) {
      expect(step).not.toHaveProperty('uses');
      expect(step.shell).toBe('bash');
      expect(step.run).not.toContain('${{');
    }
    const resolved = runs.steps.flatMap(({ env = {} }) => Object.values(env));
    expect([...new Set(resolved)].sort()).toEqual(
      Object.keys(inputs)
        .map((name) => `\${{ inputs.${name} }}`)
        .sort(),
    );
  });

  it('serves for the steps that follow, and checks what it serves', { timeout: 120_000 }, async () => {
    const job = await openJob();
    const served = await job.use(action, {
      inputs: { command: 'serve', arguments: '--on\norg.example.*=reply:{"two words":"as one"}\n' },
    });
    expect(served).toMatchObject({ status: 0, log: expect.stringContaining('::add-mask::') as string });
    expect(job.env).toMatchObject({ MX2S_USER_ID: expect.stringMatching(/^@alice:/) as string });

    const asked = await job.run(
      `mx2s request "@:$MX2S_SERVER_NAME" -t org.example.hello -d '{}' --raw --quiet`,
    );
    expect(asked).toMatchObject({ status: 0, log: '{"two words":"as one"}\n' });
    expect(await readFile(served.outputs['log'] ?? '', 'utf8')).toContain('"type":"org.example.hello"');

    const told = await job.use(action, { inputs: { only: 'R-9' } });
    expect(told).toMatchObject({ status: 0, log: expect.stringMatching(/^R-9 +pass/m) as string });
    const checked = await job.use(action, { inputs: { report: 'reports/mx2s.xml', only: 'R-9' } });
    expect(checked).toMatchObject({ status: 0, log: expect.stringContaining('<testcase') as string });
    expect(checked.log).toContain(await readFile(join(job.folder, 'reports/mx2s.xml'), 'utf8'));
    expect(await readFile(join(temp.path, 'npm-calls'), 'utf8')).toBe(
      'ci --ignore-scripts --no-audit --no-fund\nrun build:code\n',
    );
  });

  it('checks the homeserver that it is told of, with what it is told', async () => {
    const toldOnly = join(temp.path, 'told-only');
    await program(
      'mx2s.js',
      `#!/bin/sh\nprintf '<%s>' "$MX2S_HOMESERVER" "$@"; exit 1\n`,
      join(toldOnly, 'bin'),
    );
    await mkdir(join(toldOnly, 'dist'));
    await writeFile(join(toldOnly, 'dist/main.cjs'), '');
    await copyFile(join(PROJECT, 'action.yml'), join(toldOnly, 'action.yml'));
    const job = await openJob();
    const url = 'https://matrix.example.org/"; touch gone $(touch gone) #';
    const checked = await job.use(toldOnly, {
      inputs: {
        url,
        only: 'R-10,$(touch gone)',
        federation: 'true',
        'allow-register': 'true',
        strict: 'true',
        'probe-type': '`touch gone`',
        report: '$(touch gone)',
        arguments: '--listen\n0.0.0.0:8448\n',
      },
    });
    const passed = [
      url,
      'check',
      url,
      '--format',
      'junit',
      '--federation',
      '--allow-register',
      '--strict',
      '--only=R-10,$(touch gone)',
      '--probe-type=`touch gone`',
      '--listen',
      '0.0.0.0:8448',
    ];
    expect(checked).toMatchObject({ status: 1, log: passed.map((text) => `<${text}>`).join('') });
    expect(await readFile(join(job.folder, '$(touch gone)'), 'utf8')).toBe(checked.log);
    expect(await readdir(job.folder)).not.toContain('gone');
  });

  it.each([
    ['a command that it does not have', { command: 'bench' }, 'the input command is check or serve'],
    ['no homeserver', {}, 'the input url is an http:// or https:// URL'],
    ['a flag for an address', { url: '--version' }, 'the input url is an http:// or https:// URL'],
    [
      'a switch in the middle',
      { url: 'http://127.0.0.1:1', strict: 'yes' },
      'the input strict is true or false',
    ],
  ])('refuses %s', async (_what, given, error) => {
    const job = await openJob();
    const refused = await job.use(action, { inputs: given });
    expect(refused).toMatchObject({
      status: 2,
      log: expect.stringContaining(`::error::${error}\n`) as string,
    });
  });

  it('leaves no report when nothing was looked at', async () => {
    const job = await openJob();
    const failed = await job.use(action, { inputs: { url: 'http://127.0.0.1:1', report: 'mx2s.xml' } });
    expect(failed).toMatchObject({ status: 4, log: expect.stringContaining('not_logged_in') as string });
    expect(await readdir(job.folder)).not.toContain('mx2s.xml');
  });

  it('removes no link that it did not make', async () => {
    const job = await openJob();
    await symlink('mx2s.xml', join(job.folder, 'link'));
    const failed = await job.use(action, { inputs: { url: 'http://127.0.0.1:1', report: 'link' } });
    expect(failed).toMatchObject({ status: 4 });
    expect(await readdir(job.folder)).toContain('link');
  });

  it('refuses a Node that is too old', async () => {
    const node = await program('node', '#!/bin/sh\necho 20.18.3\n');
    const refused = await (await openJob({ PATH: node })).use(action, {});
    expect(refused).toMatchObject({ status: 2, log: expect.stringContaining('needs Node 20.19') as string });
  });

  it('says why serve does not become ready', async () => {
    const job = await openJob();
    const failed = await job.use(action, { inputs: { command: 'serve', arguments: '--on\nnonsense' } });
    expect(failed).toMatchObject({ status: 1, log: expect.stringContaining('mx2s: --on: ') as string });
  });
});

/** A job of its own, whose `npm` downloads nothing; in PATH before that is what is given. */
async function openJob({ PATH = '' }: { readonly PATH?: string } = {}): Promise<Job> {
  const home = await makeTempDir();
  const env = isolatedEnv(home.path);
  const job = new Job(home.path, {
    ...env,
    NPM_CALLS: join(temp.path, 'npm-calls'),
    NODE_MODULES: join(PROJECT, 'node_modules'),
    PATH: [PATH, join(temp.path, 'npm'), env['PATH']].filter(Boolean).join(':'),
  });
  onTestFinished(async () => {
    job.close();
    await home.remove();
  });
  return job;
}

/** Writes a program, and gives the folder that it is in: its own by default. */
async function program(name: string, text: string, folder = join(temp.path, name)): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), text);
  await chmod(join(folder, name), 0o755);
  return folder;
}

const NPM = `#!/bin/sh
echo "$*" >>"$NPM_CALLS"
case $1 in
  ci) ln -s "$NODE_MODULES" node_modules ;;
  *) PATH=\${PATH#*npm:} exec npm "$@" ;;
esac
`;
