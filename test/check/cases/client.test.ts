/** The probes that need a client only, in front of a homeserver that breaks one rule at a time. */
import { describe, expect, it } from 'vitest';
import { IDENTITY_PROBES } from '../../../src/check/cases/identity.js';
import { RECEIVER_PROBES } from '../../../src/check/cases/receiver.js';
import { SENDER_PROBES } from '../../../src/check/cases/sender.js';
import { SUBSYSTEM_PROBES } from '../../../src/check/cases/subsystem.js';
import { TO_USER_PROBES } from '../../../src/check/cases/to-user.js';
import type { Bench } from '../../../src/check/bench.js';
import type { UserId } from '../../../src/ids/user-id.js';
import { twistedBench } from '../twisted-server.js';
import { CLIENT_CASES } from './client-cases.js';

const PROBES = [
  ...SENDER_PROBES,
  ...RECEIVER_PROBES,
  ...IDENTITY_PROBES,
  ...TO_USER_PROBES,
  ...SUBSYSTEM_PROBES,
];

/** What the probes of these requirements find, but for those that pass: `R-9 its own @:d: fail`. */
async function blamed(bench: Bench, requirements?: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const { requirement, part, run } of PROBES) {
    if (requirements !== undefined && !requirements.includes(requirement)) continue;
    const { verdict, basis } = await run(bench, new AbortController().signal);
    const name = [requirement, part].filter((each) => each !== undefined).join(' ');
    if (verdict !== 'pass') found.push(`${name}: ${verdict}${basis === undefined ? '' : `, ${basis}`}`);
  }
  return found;
}

describe('the probes of a client', () => {
  it('blame a server for nothing when no rule is broken', async () => {
    const { bench } = await twistedBench();
    expect(await blamed(bench)).toEqual(['R-22 POST /login: skipped']);
  });

  it.each(CLIENT_CASES)('know a server that $does', async ({ twist, at, blames }) => {
    const { bench } = await twistedBench({ twist });
    expect(await blamed(bench, at)).toEqual(blames);
  });

  it('prove nothing by silence', async () => {
    const { bench } = await twistedBench({ probeType: 'org.example.nobody-knows' });
    expect(await blamed(bench)).toEqual([
      'R-10 its own @:d: inconclusive',
      'R-12 its own @:d: inconclusive',
      'R-13 @:d: inconclusive',
      'R-15 @:d: skipped',
      'R-19 an event type: inconclusive',
      'R-22 POST /login: skipped',
      'R-25: inconclusive',
      'R-26 simplified MSC3575: inconclusive',
      'R-26 /v4/sync: inconclusive',
      'R-29: inconclusive',
      'R-32: inconclusive',
      'R-33: inconclusive',
      'R-35 the device that asks: inconclusive',
      'R-35 another account: inconclusive',
    ]);
  });

  it('prove nothing of unknown types where every type is known', async () => {
    const { bench } = await twistedBench({ server: { on: ['*=echo'] } });
    expect(await blamed(bench, ['R-19'])).toEqual(['R-19 an event type: inconclusive']);
  });

  it('leave no account behind', async () => {
    const { bench, server } = await twistedBench();
    const made: UserId[] = [];
    const create = server.home.store.createAccount.bind(server.home.store);
    server.home.store.createAccount = (account) => {
      made.push(account.userId);
      return create(account);
    };
    await blamed(bench, ['R-20', 'R-24']);
    expect(made).toHaveLength(2);
    expect(await bench.registrar?.close(new AbortController().signal)).toEqual([]);
    for (const userId of made) expect(await server.home.store.account(userId)).toBeUndefined();
  });
});
