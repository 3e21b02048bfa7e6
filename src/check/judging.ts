/** What many probes need to judge: the server's refusals as values, and what silence means. */
import { MatrixError } from '../errors.js';
import type { UserId } from '../ids/user-id.js';
import type { Bench } from './bench.js';
import { fail, inconclusive, pass, type Finding, type Probe } from './probe.js';

/**
 * For `catch`: the error as what the server under test answered.
 * @throws what is no word of the server about the request: a refused token, a failure (5xx), no answer at all
 */
export function refusalOf(error: unknown): MatrixError {
  if (error instanceof MatrixError && error.code !== 'server_error' && !isTokenRefused(error)) return error;
  throw error;
}

/** Is it our access token that the server does not take? Without one, a demand for it is an answer like any other. */
export function isTokenRefused(error: unknown): boolean {
  return error instanceof MatrixError && error.code === 'token_refused' && error.authenticated;
}

/** `answered 400 M_BAD_JSON` */
export function answered({ status, errcode }: Pick<MatrixError, 'status' | 'errcode'>): string {
  return `answered ${status}${errcode === undefined ? '' : ` ${cut(errcode)}`}`;
}

/** Text of the server, as long as a line can bear. */
export function cut(text: string): string {
  return text.length <= MAX_SHOWN_CHARACTERS ? text : `${text.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}

/**
 * What it shows that a message to a server user was refused: nothing, where one to `control` is refused, too, because
 * our account may not send at all, or not there.
 *
 * @param seen the refusal in words
 */
export async function refused(
  bench: Bench,
  seen: string,
  control: { readonly userId: UserId; readonly deviceId: string },
  signal: AbortSignal,
): Promise<Finding> {
  const { account } = bench;
  const messages = { [control.userId]: { [control.deviceId]: { nonce: bench.nonce() } } };
  const other = await bench.send(account, 'mx2s.check.control', messages, signal).catch(refusalOf);
  return other
    ? inconclusive(`${seen}, and one to ${control.userId} ${answered(other)}`)
    : fail(`${seen}, and one to ${control.userId} was not`);
}

/**
 * Does the server answer about `@:d` as it does about somebody who does not exist?
 * @param ask gives the body of a 200, or what the question was refused with
 */
export async function tellsApart(
  bench: Bench,
  ask: (userId: string) => Promise<string | MatrixError>,
): Promise<Finding> {
  const answer = await ask(bench.serverUser);
  if (answer instanceof Error && answer.status === 404) return pass(answered(answer));
  const ofNobody = await ask(`@${bench.nonce()}:${bench.serverName}`);
  if (!(answer instanceof Error)) {
    return ofNobody instanceof Error
      ? fail(`answered 200: ${cut(answer)}`)
      : pass('answered as for anybody who does not exist');
  }
  // another refusal than 404 may be about who asks, and then everybody is refused so
  const isSame =
    ofNobody instanceof Error && ofNobody.status === answer.status && ofNobody.errcode === answer.errcode;
  return isSame
    ? pass(`${answered(answer)}, as for anybody who does not exist`)
    : inconclusive(`${answered(answer)}, and not so for somebody who does not exist`);
}

/** How often: `not at all`, `once`, `twice`, `3 times`. */
export function times(count: number): string {
  return ['not at all', 'once', 'twice'][count] ?? `${count} times`;
}

/** A probe that says something only where the server under test answers the probe type. */
export function byReply(run: Probe['run']): Probe['run'] {
  return async (bench, signal) => ((await bench.answers(signal)) ? run(bench, signal) : noAnswer(bench));
}

/** Silence: the server may be without MSC4246, or know other types only (A9 of docs/evidence/ambiguities.md). */
export function noAnswer(bench: Bench): Finding {
  return inconclusive(noAnswerWords(bench));
}

/** The same in words. */
export function noAnswerWords({ probeType, waitMs }: Bench): string {
  return `no answer to ${probeType} within ${waitMs / 1000} s: the server may not know it, or not know the proposal`;
}

/** An answer that came before, and does not come now. */
export function wentSilent({ probeType, waitMs }: Bench): Finding {
  return inconclusive(
    `the next ${probeType} was not answered within ${waitMs / 1000} s, so silence proves nothing`,
  );
}

const MAX_SHOWN_CHARACTERS = 200;
