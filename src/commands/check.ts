/** `mx2s check`: which parts of MSC4246 a homeserver has, found out from outside. */
import { Bench, type Account } from '../check/bench.js';
import { PROBES, needsOf } from '../check/cases.js';
import { Registrar } from '../check/registrar.js';
import { tallyOf } from '../check/report.js';
import { runChecks, type Result } from '../check/runner.js';
import { WireRecord } from '../check/wire-record.js';
import type { ExitCode } from '../exit-codes.js';
import { serverNameOf } from '../ids/user-id.js';
import { startProgress } from '../ui/progress.js';
import { listedRequirement } from '../ui/render/check-json.js';
import { renderCheckTally, renderCutOff, renderListed } from '../ui/render/check-text.js';
import { aimed, openAccount, openSessions } from './check-accounts.js';
import { openSecondServer } from './check-federation.js';
import {
  configureCheck,
  parseCheckOptions,
  type CheckOptions,
  type ListOptions,
  type RunOptions,
} from './check-options.js';
import { openReport } from './check-report.js';
import type { Context } from './context.js';
import { define } from './define.js';
import { openHttp } from './open-http.js';

export const check = define<CheckOptions>({
  configure: configureCheck,
  options: parseCheckOptions,
  run: async (context, options) => {
    if (options.action === 'list') return list(context, options);
    const aimedOptions = await aimed(context, options);
    const runId = `mx2s-check-${context.chance.uuid()}`;
    const record = new WireRecord(runId);
    const http = await openHttp(context, (transport) => record.around(transport));
    try {
      return await run({ ...context, http: async () => http }, aimedOptions, { runId, record });
    } finally {
      await http.close();
    }
  },
});

async function list({ out }: Context, { format, requirements }: ListOptions): Promise<ExitCode> {
  for (const requirement of requirements) {
    const listed = listedRequirement(requirement, needsOf(requirement));
    if ((format ?? out.format) === 'json') await out.writeJson(JSON.stringify(listed));
    else await out.write(`${renderListed(listed, out)}\n`);
  }
  return 0;
}

interface ThisRun {
  /** What everything holds that is sent in this run. */
  readonly runId: string;
  readonly record: WireRecord;
}

interface Closable {
  close(): Promise<void>;
}

async function run(context: Context, options: RunOptions, thisRun: ThisRun): Promise<ExitCode> {
  const open: Closable[] = [];
  try {
    const bench = await openBench(context, options, thisRun, open);
    return await look(context, options, bench, thisRun.record);
  } finally {
    const ends = await Promise.allSettled(open.map((each) => each.close()));
    for (const end of ends) if (end.status === 'rejected') throw end.reason; // when all had the time to end
  }
}

/** Opens what the probes work with; each part is added to `open` as soon as it has to be closed. */
async function openBench(
  context: Context,
  options: RunOptions,
  { runId, record }: ThisRun,
  open: Closable[],
): Promise<Bench> {
  const { clock, chance } = context;
  const keep = <Part extends Closable>(part: Part): Part => {
    open.push(part);
    return part;
  };
  const sessions = await openSessions(context, options);
  const { account } = keep(await openAccount(context, sessions.main, runId, options));
  const other = sessions.other && keep(await openAccount(context, sessions.other, runId, options));
  const second =
    options.federation &&
    keep(await openSecondServer(context, options.federation, serverNameOf(account.userId), record));
  const { registrar } = keep(await openRegistration(context, sessions.main.homeserver));
  const discreet = (each: Account): Account => ({ ...each, api: record.discreet(each.api) });
  return new Bench({
    account: discreet(account),
    other: other && discreet(other.account),
    second,
    registrar,
    mayRegister: options.allowRegister,
    probeType: options.probeType,
    runId,
    waitMs: options.waitMs,
    clock,
    chance,
  });
}

async function look(
  { clock, signal, out, talk, globals, env }: Context,
  options: RunOptions,
  bench: Bench,
  record: WireRecord,
): Promise<ExitCode> {
  const startedMs = clock.monotonic();
  const report = openReport(out, options, clock.now());
  const progress = await startProgress(talk, {
    inCi: Boolean(env['CI']),
    quiet: globals.quiet,
    text: options.homeserver,
  });
  const probeTimeoutMs = PROBE_TIMEOUT_MS + MAX_WAITS * options.waitMs;
  const results: Result[] = [];
  try {
    await report.begin();
    await runChecks({
      requirements: options.requirements,
      probes: PROBES,
      bench,
      probeTimeoutMs,
      runTimeoutMs: MAX_LATE_PROBES * probeTimeoutMs,
      clock,
      signal,
      begin: (requirement) => {
        progress.update(requirement);
        record.take(); // what opened the bench decided nothing
      },
      report: async (result) => {
        results.push(result);
        await report.result(result);
        for (const line of record.take()) talk.detail(line);
      },
    });
    await report.end();
  } finally {
    progress.stop();
  }
  if (bench.second !== undefined && bench.isSecondCutOff) talk.notice(renderCutOff(bench.second));
  const tally = tallyOf(results, options.strict);
  talk.notice(renderCheckTally(tally, record.requests, clock.monotonic() - startedMs));
  return tally.counting > 0 ? 1 : 0;
}

/** A registrar whose accounts are deactivated when it is closed; those that cannot be are told of. */
async function openRegistration({ http, chance, clock, signal, talk }: Context, homeserver: string) {
  const registrar = new Registrar({ http: await http(), homeserver, chance });
  return {
    registrar,
    async close() {
      const over = new AbortController();
      const patience = new AbortController();
      const graceMs = signal.aborted ? INTERRUPTED_GRACE_MS : CLOSE_GRACE_MS;
      clock.sleep(graceMs, patience.signal).then(
        () => over.abort(),
        () => undefined,
      );
      for (const name of await registrar.close(over.signal)) {
        talk.warn(
          `${name}, which a probe has registered or may have, could not be deactivated: ask the administrator of the homeserver`,
        );
      }
      patience.abort();
    },
  };
}

/** For what a probe asks and is answered, beside the times that it waits for what may not come. */
const PROBE_TIMEOUT_MS = 60_000;
const MAX_WAITS = 6;
/** A homeserver at which so many probes run out of time is asked no longer. */
const MAX_LATE_PROBES = 5;
const CLOSE_GRACE_MS = 15_000;
/** A signal is answered within two seconds. */
const INTERRUPTED_GRACE_MS = 1500;
