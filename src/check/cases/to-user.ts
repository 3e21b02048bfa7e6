/** what the server user sends, as its own users get it. */
import { isUnknownEndpoint } from '../../client/error-answer.js';
import { slidingDialects, slidingSync, type SlidingDialect } from '../../client/sliding-sync.js';
import { apiPath } from '../../client/api-path.js';
import { versions } from '../../client/versions.js';
import { jsonTextOf, parseJson, stringMember, type JsonObject } from '../../wire/json.js';
import { equalJson } from '../../wire/json-equal.js';
import type { ToDeviceEvent } from '../../wire/sync.js';
import { holdsNonce, type Bench } from '../bench.js';
import { answered, byReply, cut, refusalOf, wentSilent } from '../judging.js';
import { isWith } from '../peek.js';
import { fail, inconclusive, pass, skipped, type Finding, type Probe } from '../probe.js';

export const TO_USER_PROBES: readonly Probe[] = [
  {
    requirement: 'R-25',
    needs: [],
    run: byReply(async (bench, signal) => {
      const answer = await bench.ask(signal);
      if (answer === undefined) return wentSilent(bench);
      const event = (await untilPeeked(bench, answer.nonce, signal))?.find(isWith(answer.nonce));
      if (event === undefined) {
        return inconclusive('the answer came with a since, and not without one before it was acknowledged');
      }
      const sender = stringMember(event, 'sender');
      if (sender !== bench.serverUser) return fail(`the sender of the answer is ${quoted(sender)}`);
      const odd = keysOf(event).filter((key) => !EVENT_KEYS.includes(key));
      // the proposal shows three members, and does not say that there are no others
      if (odd.length > 0) return fail(`the event has ${odd.map(quoted).join(', ')} besides`, 'reading');
      return pass(
        `the answer came as {"sender":"${sender}","type":${quoted(stringMember(event, 'type'))},"content":…}`,
      );
    }),
  },
  ...(['unstable', 'stable'] as const).map((form): Probe => ({
    requirement: 'R-26',
    part: form === 'stable' ? '/v4/sync' : 'simplified MSC3575',
    needs: [],
    run: (bench, signal) => lookThroughSlidingSync(bench, form, signal),
  })),
  {
    requirement: 'R-29',
    needs: [],
    run: byReply(async (bench, signal) => {
      const { account } = bench;
      await account.inbox.settle();
      const first = await bench.ping(signal);
      if (!(await untilPeeked(bench, first, signal))) return wentSilent(bench);
      const second = await bench.ping(signal);
      const waiting = await untilPeeked(bench, second, signal);
      if (waiting === undefined) return wentSilent(bench);
      const order = [first, second].map((nonce) => waiting.findIndex(isWith(nonce)));
      if (order[0] === -1) return fail('an answer was gone before it was acknowledged');
      if ((order[0] ?? 0) > (order[1] ?? 0))
        return fail('two answers came in another order than they were sent in');

      const { found } = await bench.collect(account, second, signal);
      if (!found) return fail('an answer that waits did not come with a since');
      await account.inbox.settle();
      const left = await bench.peek(account, signal);
      return left.some((event) => isWith(first)(event) || isWith(second)(event))
        ? fail('an answer came again after it was acknowledged')
        : pass(
            'two answers were kept in order until they were acknowledged; not looked at: 100 a batch, the end of the device',
          );
    }),
  },
  {
    requirement: 'R-30',
    needs: [],
    run: async (bench, signal) => {
      const { account, serverUser } = bench;
      const body = (nonce: string) =>
        jsonTextOf({
          sender: serverUser,
          messages: { [account.userId]: { [account.deviceId]: { nonce, sender: serverUser } } },
        });
      const ways: readonly Record<string, string>[] = [{}, { user_id: serverUser }];
      const nonces: string[] = [];
      for (const query of ways) {
        const nonce = bench.nonce();
        const path = apiPath`/v3/sendToDevice/mx2s.check.hello/${bench.chance.uuid()}`;
        const answer = await account.api
          .call({ method: 'PUT', path, query, body: body(nonce) }, signal)
          .catch(refusalOf);
        if (!(answer instanceof Error)) nonces.push(nonce);
      }
      const later = bench.nonce();
      const messages = { [account.userId]: { [account.deviceId]: { nonce: later } } };
      await bench.send(account, 'mx2s.check.hello', messages, signal);
      const { events, found } = await bench.collectPast(account, later, signal);
      if (!found) return inconclusive(`a message of ${account.userId} to itself did not come`);
      const came = events.filter((event) => nonces.some((nonce) => holdsNonce(event, nonce)));
      const forged = came.find(({ sender }) => sender !== account.userId);
      if (forged) return fail(`a message of ${account.userId} came with the sender ${quoted(forged.sender)}`);
      return pass(
        `of ${ways.length} messages with a false sender ${came.length} came, with the sender ${account.userId}`,
      );
    },
  },
];

/**
 * Looks at an answer through one form of sliding sync. Its `since` acknowledges only where nothing but events of this
 * run would go.
 */
async function lookThroughSlidingSync(
  bench: Bench,
  form: SlidingDialect['form'],
  signal: AbortSignal,
): Promise<Finding> {
  const { account, serverUser } = bench;
  const { api } = account;
  const dialect = slidingDialects(await versions(api, {}, signal)).find((each) => each.form === form);
  if (dialect === undefined) return skipped('mx2s does not know this form');
  const sync = (since?: string) =>
    slidingSync(api, dialect, { connId: `${bench.nonce()}`, pos: undefined, since, timeoutMs: 0 }, signal);

  const empty = await sync().catch((error: unknown) => {
    if (isUnknownEndpoint(error)) return error;
    throw error;
  });
  if (empty instanceof Error) return skipped(`the homeserver does not have it: ${answered(empty)}`);
  return byReply(async () => {
    const answer = await bench.ask(signal);
    if (answer === undefined) return wentSilent(bench);
    const ofAnswer = (each: ToDeviceEvent): boolean => holdsNonce(each, answer.nonce);
    // a homeserver of many processes may know in one what it does not know yet in another
    const batch = await patiently(bench, sync, ({ events }) => events.some(ofAnswer), signal);
    const event = batch?.events.find(ofAnswer);
    if (batch === undefined || event === undefined)
      return fail('an answer that came through /v3/sync did not come');
    if (event.sender !== serverUser || !isSame(event, answer.event)) {
      return fail(
        `the answer came as ${cut(jsonTextOf({ sender: event.sender ?? null, type: event.type ?? null }))}`,
      );
    }
    if (batch.nextBatch === undefined || !batch.events.every((each) => bench.isOfThisRun(each))) {
      return pass('the answer came; not looked at: its acknowledgement');
    }
    const rest = await sync(batch.nextBatch);
    // how to acknowledge is said by MSC4538, which is open
    return rest.events.some(ofAnswer)
      ? fail('the answer came again after it was acknowledged', 'reading')
      : pass('the answer came, until it was acknowledged');
  })(bench, signal);
}

/** The events that wait, once one with `nonce` does; undefined when none came in time. */
function untilPeeked(bench: Bench, nonce: string, signal: AbortSignal) {
  const peek = () => bench.peek(bench.account, signal);
  return patiently(bench, peek, (events) => events.some(isWith(nonce)), signal);
}

/** What a look shows, once it shows what is wanted; undefined when it does not in time. */
async function patiently<Seen>(
  { clock, waitMs }: Bench,
  look: () => Promise<Seen>,
  isWanted: (seen: Seen) => boolean,
  signal: AbortSignal,
): Promise<Seen | undefined> {
  const deadlineMs = clock.monotonic() + waitMs;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
    const seen = await look();
    if (isWanted(seen)) return seen;
    const leftMs = deadlineMs - clock.monotonic();
    if (leftMs <= 0) return undefined;
    await clock.sleep(Math.min(pauseMs, leftMs), signal);
  }
}

function isSame(one: ToDeviceEvent, other: ToDeviceEvent): boolean {
  return one.type === other.type && equalJson(parseJson(one.content), parseJson(other.content));
}

function keysOf(event: JsonObject): string[] {
  return event.members.map(({ key }) => key);
}

function quoted(text: string | undefined): string {
  return text === undefined ? 'nothing' : cut(JSON.stringify(text));
}

const EVENT_KEYS: readonly string[] = ['sender', 'type', 'content'];
const FIRST_PAUSE_MS = 20;
