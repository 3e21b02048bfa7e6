/**
 * A homeserver as a second server and its own clients see it, made of rules that a test can break one by one. There is
 * no network and no waiting: what a rule says happens at once, and time passes when somebody waits for nothing.
 */
import { Bench, type Account } from '../../src/check/bench.js';
import { EduLog } from '../../src/check/edu-log.js';
import type { SecondServer } from '../../src/check/second-server.js';
import type { ApiCall } from '../../src/client/api.js';
import { MatrixError } from '../../src/errors.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId, serverUserOf } from '../../src/ids/user-id.js';
import { jsonTextOf, parseJson, type JsonObject } from '../../src/wire/json.js';
import type { ToDeviceEvent } from '../../src/wire/sync.js';

type Contents = Readonly<Record<string, object>>;

/** An `m.direct_to_device` EDU's content. */
export interface Edu {
  readonly sender: string;
  readonly type: string;
  readonly message_id: string;
  readonly messages: Readonly<Record<string, Contents>>;
}

/** What the homeserver does; by default what MSC4246 asks for. */
export interface Rules {
  /** What a client's message of this type to this user is refused with. */
  refusal(type: string, userId: string): number | undefined;
  /** The devices of `@:second` that a message goes to. */
  devicesOfServer(devices: Contents): Contents;
  /** The devices of a user of the second server that a message goes to. */
  devicesOfUser(devices: Contents): Contents;
  /** What becomes of an EDU on its way out; none are lost on the way if `reaches`. */
  outgoing(edu: Edu): readonly object[];
  reaches(edu: Edu): boolean;
  /** The sender of what `alice` sends in this request. */
  sender(body: { readonly sender?: string }): string;
  /** Is an EDU of this sender taken? */
  believes(sender: string): boolean;
  /** Is an EDU whose message_id was seen before dropped? */
  knowsMessageIds: boolean;
  /** What a transaction is answered with. */
  transactionStatus(eduTypes: readonly string[]): number;
  /** Is an EDU given to its user? */
  delivers(edu: Edu): boolean;
  /** Does the subsystem answer a local user? */
  answersUsers: boolean;
  /** Does it answer an EDU that came for this device of `@:d`? */
  answersEdu(edu: Edu, device: string): boolean;
  answerSender: string;
  answerDevice(named: string | undefined): string;
  /** `GET /user/devices` and `GET /query/profile`. */
  devices(userId: string): object | number;
  profile(userId: string): object | number;
}

export const DOMAIN = 'model.test';
export const SECOND = 'second.test';
export const SERVER_USER = `@:${DOMAIN}`;
export const ALICE = `@alice:${DOMAIN}`;

const CONFORMING: Rules = {
  refusal: () => undefined,
  devicesOfServer: ({ '': named, '*': all }) => {
    const content = named ?? all;
    return content === undefined ? {} : { '': content };
  },
  devicesOfUser: (devices) => Object.fromEntries(Object.entries(devices).filter(([device]) => device !== '')),
  outgoing: (edu) => [{ edu_type: 'm.direct_to_device', content: edu }],
  reaches: () => true,
  sender: () => ALICE,
  believes: (sender) => sender.endsWith(`:${SECOND}`),
  knowsMessageIds: true,
  transactionStatus: () => 200,
  delivers: () => true,
  answersUsers: true,
  answersEdu: ({ sender, type }, device) =>
    type === 'mx2s.ping' && !sender.startsWith('@:') && (device === '' || device === '*'),
  answerSender: SERVER_USER,
  answerDevice: (named) => named ?? '*',
  devices: () => 404,
  profile: () => 404,
};

/** A bench for probes in front of a homeserver with these rules. */
export function modelBench(broken: Partial<Rules> = {}): Bench {
  const rules = { ...CONFORMING, ...broken };
  let nowMs = 0;
  let count = 0;
  const clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
  };
  const chance = { uuid: () => crypto.randomUUID(), fraction: () => 0 };
  const heard = new EduLog(clock);
  const waiting: ToDeviceEvent[] = [];
  const seen = new Set<string>();

  function sendOut(content: Omit<Edu, 'message_id'>): void {
    const edu = { ...content, message_id: `m${String((count += 1))}` };
    if (Object.values(edu.messages).every((devices) => Object.keys(devices).length === 0)) return;
    if (!rules.reaches(edu)) return;
    heard.keep(
      `t${String(count)}`,
      rules.outgoing(edu).map((each) => parseJson(jsonTextOf(each))),
    );
  }

  function give(sender: string, type: string, content: object): void {
    waiting.push({ sender, type, content: jsonTextOf(content) });
  }

  async function call({ path, body = jsonTextOf({}) }: ApiCall) {
    const type = decodeURIComponent(path.split('/')[3] ?? '');
    const request = JSON.parse(body) as { sender?: string; messages: Readonly<Record<string, Contents>> };
    for (const [userId, devices] of Object.entries(request.messages)) {
      const status = rules.refusal(type, userId);
      if (status !== undefined) throw refusal(status);
      if (userId === SERVER_USER && rules.answersUsers) {
        if (type === 'mx2s.ping') give(SERVER_USER, 'mx2s.pong', Object.values(devices)[0] ?? {});
      } else if (userId.endsWith(`:${SECOND}`)) {
        const chosen =
          userId === `@:${SECOND}` ? rules.devicesOfServer(devices) : rules.devicesOfUser(devices);
        sendOut({ sender: rules.sender(request), type, messages: { [userId]: chosen } });
      }
    }
    return { method: 'PUT' as const, url: path, body: '{}', attempts: 1, elapsedMs: 0 };
  }

  function receive(edu: Edu): void {
    const isRepeat = seen.has(edu.message_id);
    seen.add(edu.message_id);
    if (!rules.believes(edu.sender) || (isRepeat && rules.knowsMessageIds)) return;
    for (const [userId, devices] of Object.entries(edu.messages)) {
      for (const [device, content] of Object.entries(devices)) {
        if (userId !== SERVER_USER && rules.delivers(edu)) give(edu.sender, edu.type, content);
        if (userId !== SERVER_USER || !rules.answersEdu(edu, device)) continue;
        const named = rules.answerDevice((content as { device_id?: string }).device_id);
        sendOut({
          sender: rules.answerSender,
          type: 'mx2s.pong',
          messages: { [edu.sender]: { [named]: content } },
        });
      }
    }
  }

  const account: Account = {
    userId: parseUserId(ALICE),
    deviceId: parseDeviceId('ALICE'),
    api: { baseUrl: `https://${DOMAIN}`, call },
    inbox: {
      read: async (timeoutMs) => {
        if (waiting.length === 0) nowMs += timeoutMs;
        return waiting.splice(0);
      },
      settle: async () => undefined,
    },
  };
  const serverName = parseServerName(SECOND);
  const second: SecondServer = {
    serverName,
    serverUser: serverUserOf(serverName),
    authority: SECOND,
    heard,
    requests: [],
    user: (localpart) => parseUserId(`@${localpart}:${SECOND}`),
    say: async (edus) => {
      const sent = edus.map((text) => JSON.parse(text) as { edu_type: string; content: Edu });
      const status = rules.transactionStatus(sent.map(({ edu_type: type }) => type));
      if (status !== 200) throw refusal(status);
      for (const { edu_type: type, content } of sent) if (type === 'm.direct_to_device') receive(content);
    },
    ask: async (uri) => {
      const [, which, userId = ''] = /\/(devices\/|profile\?user_id=)(.*)$/.exec(uri) ?? [];
      const answer = (which === 'devices/' ? rules.devices : rules.profile)(decodeURIComponent(userId));
      if (typeof answer === 'number') throw refusal(answer);
      return parseJson(jsonTextOf(answer)) as JsonObject;
    },
    close: async () => undefined,
  };
  return new Bench({ account, second, probeType: 'mx2s.ping', runId: 'run', waitMs: 5000, clock, chance });
}

function refusal(status: number): MatrixError {
  return new MatrixError(
    { status, errcode: 'M_UNKNOWN', method: 'PUT', url: '/' },
    `answered ${String(status)}`,
  );
}
