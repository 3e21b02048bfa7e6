/** Runs the steps of a composite GitHub action as a runner does: with bash, expressions resolved, files to write to. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What is used here of `action.yml`. */
export interface ActionFile {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default?: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] };
}

export interface ActionStep {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly shell: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run: string;
}

export function readAction(path: string): ActionFile {
  return parse(readFileSync(path, 'utf8')) as ActionFile;
}

export interface ActionRun {
  /** Of the first step that failed, else 0; null when a signal ended it. */
  readonly status: number | null;
  /** stdout and stderr of all steps. */
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
}

/**
 * A job on a runner: its folder, and the environment that its steps hand on to each other. `close` ends what they have
 * left running, as a runner does at the end of a job.
 */
export class Job {
  readonly folder: string;
  #env: Readonly<Record<string, string>>;
  readonly #groups: number[] = [];
  #stepCount = 0;

  /** In a folder that is there, and becomes the working directory. */
  constructor(folder: string, env: Readonly<Record<string, string>>) {
    this.folder = folder;
    this.#env = { ...env, RUNNER_TEMP: folder };
  }

  /** What later steps see, too. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** Runs the action in `path`, as a step with these `with` and `env`. */
  async use(
    path: string,
    { inputs = {}, env = {} }: { inputs?: Record<string, string>; env?: Record<string, string> },
  ): Promise<ActionRun> {
    const action = readAction(join(path, 'action.yml'));
    const known = new Map<string, string>();
    for (const [name, value] of Object.entries(withDefaults(action, inputs)))
      known.set(`inputs.${name}`, value);
    let log = '';
    let status: number | null = 0;
    for (const step of action.runs.steps) {
      if (step.if !== undefined && !isTrue(step.if, known)) continue;
      const stepEnv = resolveAll(step.env ?? {}, known);
      const ran = await this.#run(step, { ...env, ...stepEnv, GITHUB_ACTION_PATH: path });
      log += ran.log;
      for (const [name, value] of ran.outputs) known.set(`steps.${step.id ?? ''}.outputs.${name}`, value);
      status = ran.status;
      if (status !== 0) break;
    }
    const values = Object.entries(action.outputs).map(([name, { value }]) => [name, value] as const);
    return { status, log, outputs: resolveAll(Object.fromEntries(values), known) };
  }

  /** Runs a script as a later step of the job. */
  async run(script: string): Promise<{ readonly status: number | null; readonly log: string }> {
    return this.#run({ name: 'script', shell: 'bash', run: script }, {});
  }

  close(): void {
    for (const group of this.#groups) {
      try {
        process.kill(-group, 'SIGKILL');
      } catch {
        // nothing of it is left
      }
    }
  }

  async #run(step: ActionStep, env: Readonly<Record<string, string>>) {
    if (step.shell !== 'bash') throw new Error(`${step.name}: the shell ${step.shell} is not known here`);
    this.#stepCount += 1;
    const file = (name: string): string => {
      const path = join(this.folder, `${name}-${String(this.#stepCount)}`);
      writeFileSync(path, '');
      return path;
    };
    const files = { GITHUB_ENV: file('env'), GITHUB_PATH: file('path'), GITHUB_OUTPUT: file('output') };
    const script = file('script');
    writeFileSync(script, step.run);
    const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', script], {
      cwd: this.folder,
      env: { ...this.#env, ...env, ...files },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // a process group of its own, to end what it leaves running
    });
    if (child.pid !== undefined) this.#groups.push(child.pid);
    const { status, log } = await finished(child);
    const paths = readFileSync(files.GITHUB_PATH, 'utf8').split('\n').filter(Boolean);
    this.#env = {
      ...this.#env,
      ...Object.fromEntries(assignments(files.GITHUB_ENV)),
      PATH: [...paths.reverse(), this.#env['PATH'] ?? ''].join(':'),
    };
    return { status, log, outputs: assignments(files.GITHUB_OUTPUT) };
  }
}

function withDefaults(
  { inputs }: ActionFile,
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(inputs, name));
  if (unknown.length > 0) throw new Error(`the action has no input ${unknown.join(', ')}`);
  const defaults = Object.entries(inputs).map(([name, { default: text = '' }]) => [name, text] as const);
  return { ...Object.fromEntries(defaults), ...given };
}

function resolveAll(
  texts: Readonly<Record<string, string>>,
  known: ReadonlyMap<string, string>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, resolve(text, known)]));
}

/** The output of a step that did not run is empty, as on a runner; an expression of another kind is not known here. */
function resolve(text: string, known: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{\{\s*(.*?)\s*\}\}/g, (_whole, expression: string) => {
    if (!/^(inputs|steps)\.[\w.-]+$/.test(expression))
      throw new Error(`\${{ ${expression} }} is not known here`);
    const value = known.get(expression);
    if (value === undefined && expression.startsWith('inputs.')) throw new Error(`there is no ${expression}`);
    return value ?? '';
  });
}

/** `inputs.NAME == 'TEXT'`, the one kind of condition that is used. */
function isTrue(condition: string, known: ReadonlyMap<string, string>): boolean {
  const [, left = '', right] = /^([\w.-]+) == '([^']*)'$/.exec(condition) ?? [];
  if (right === undefined) throw new Error(`the condition ${condition} is not known here`);
  return resolve(`\${{ ${left} }}`, known) === right;
}

/** `NAME=VALUE` lines. */
function assignments(path: string): ReadonlyMap<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

function finished(child: ChildProcess): Promise<{ status: number | null; log: string }> {
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
  }
  return new Promise((resolvePromise, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolvePromise({ status, log }));
  });
}
