/** `mx2s check`: which parts of MSC4246 a homeserver has, found out from outside. */
import { Bench } from '../check/bench.js';
import { PROBES, needsOf } from '../check/cases.js';
import { tallyOf } from '../check/report.js';
import { runChecks, type Result } from '../check/runner.js';
import type { ExitCode } from '../exit-codes.js';
import { serverNameOf } from '../ids/user-id.js';
import { checkResult, listedRequirement } from '../ui/render/check-json.js';
import { renderCheckResult, renderListed } from '../ui/render/check-text.js';
import type { Output } from '../ui/streams.js';
import { openAccount, openMainSession, openOtherSession } from './check-accounts.js';
import { openSecondServer } from './check-federation.js';
import { configureCheck, parseCheckOptions, type CheckOptions, type RunOptions } from './check-options.js';
import type { Context } from './context.js';
import { define } from './define.js';

export const check = define<CheckOptions>({
  configure: configureCheck,
  options: parseCheckOptions,
  run: async (context, options) => {
    if (options.action === 'run') return run(context, options);
    await list(context.out, options);
    return 0;
  },
});

async function list(out: Output, { requirements }: CheckOptions): Promise<void> {
  for (const requirement of requirements) {
    const listed = listedRequirement(requirement, needsOf(requirement));
    await out.result(listed, (palette) => renderListed(listed, { palette, width: out.width }));
  }
}

async function run(context: Context, options: RunOptions): Promise<ExitCode> {
  const { clock, chance, signal, out } = context;
  const runId = `mx2s-check-${chance.uuid()}`;
  const session = await openMainSession(context, options);
  const otherSession = await openOtherSession(context, options);
  const open: { close(): Promise<void> }[] = [];
  try {
    const main = await openAccount(context, session, runId, options);
    open.push(main);
    const other = otherSession && (await openAccount(context, otherSession, runId, options));
    if (other !== undefined) open.push(other);
    const second =
      options.federation &&
      (await openSecondServer(context, options.federation, serverNameOf(main.account.userId)));
    if (second !== undefined) open.push(second);
    const bench = new Bench({
      account: main.account,
      other: other?.account,
      second,
      probeType: options.probeType,
      runId,
      waitMs: options.waitMs,
      clock,
      chance,
    });
    const results: Result[] = [];
    await runChecks({
      requirements: options.requirements,
      probes: PROBES,
      bench,
      probeTimeoutMs: PROBE_TIMEOUT_MS,
      clock,
      signal,
      begin: () => undefined,
      report: async (result) => {
        results.push(result);
        await out.result(checkResult(result), (palette) =>
          renderCheckResult(result, { palette, width: out.width }),
        );
      },
    });
    return tallyOf(results, options.strict).counting > 0 ? 1 : 0;
  } finally {
    for (const each of open.reverse()) await each.close();
  }
}

const PROBE_TIMEOUT_MS = 60_000;
