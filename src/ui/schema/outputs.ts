/** What each command prints as JSON, line by line: the one source of `mx2s schema`. */
import { NEEDS, VERDICTS } from '../../check/probe.js';
import { BASES, LEVELS, PROVABLES, REQUIREMENT_IDS } from '../../check/requirements.js';
import { ERROR_ROWS } from '../../exit-codes.js';
import { ID_REASONS, ID_WARNINGS, type Grade } from '../../ids/verdict.js';
import type { LogEntry } from '../../server/log-entry.js';
import type {
  BucketResult,
  HistogramResult,
  LatencyMs,
  ListenBenchResult,
  SendBenchResult,
  ServeBenchResult,
  ValidateBenchResult,
} from '../render/bench.js';
import type { CheckResult, ListedRequirement } from '../render/check-json.js';
import type { GatewayInitResult, GatewayReadyResult, QueueReadyResult } from '../render/gateway.js';
import type { KeygenResult } from '../render/keygen.js';
import type { LoginResult, LogoutResult, ProfileResult, WhoamiResult } from '../render/profiles.js';
import type { AcceptedResult, PlannedRequest, UnsentResult } from '../render/send.js';
import type { ReadyResult } from '../render/serve.js';
import type { IdCount, IdResult } from '../render/validate-id.js';
import type { ErrorBody } from '../voice.js';
import {
  anything,
  constant,
  count,
  list,
  measure,
  object,
  orNull,
  text,
  truth,
  word,
  type JsonSchema,
} from './json-schema.js';

export interface OutputSchema {
  readonly description: string;
  /** A line of output is one of these. */
  readonly lines: readonly JsonSchema[];
}

type Versioned<Shape> = { readonly v: 1 } & Shape;

type ReadyUser = ReadyResult['users'][number];

const VERSION = constant(1);
const REQUIREMENT = word(REQUIREMENT_IDS, 'docs/requirements.md says more');
const USER_ID = text('a Matrix user ID');
const DEVICE_ID = text('a device ID; "" is that of a server user (MSC4246)');
const HOMESERVER = text('the URL of the client-server API, without a final slash');
const ID_CODE = word(Object.keys(ID_REASONS));
const TXN_ID = text('the transaction ID: a repeat under the same one is taken once');
const LINE = count(1, 'with --ndjson: the line of stdin, blank ones counted');

const ERROR = object<ErrorBody>({
  code: word(Object.keys(ERROR_ROWS), 'mx2s help exit-codes says what they mean'),
  message: text(),
  'hint?': text('what to do next'),
  'errcode?': text('as the homeserver spelled it'),
  'http_status?': count(100),
  retryable: truth('the same command may succeed later, unchanged'),
});

/** A to-device event as `listen` and `request` print it. */
const EVENT = object<{
  v: 1;
  sender: string | null;
  type: string | null;
  content: unknown;
  server_user: boolean;
  own_server: boolean;
  received_ts: number;
}>({
  v: VERSION,
  sender: orNull(text('as it came, valid or not; null when there was none')),
  type: orNull(text('null when there was none')),
  content: anything('as it came, to the last digit; usually an object'),
  server_user: truth(
    'the sender is a valid ID with an empty localpart; where MSC4246 is not known, an account may have it',
  ),
  own_server: truth('server_user, and of our own server'),
  received_ts: count(0, 'milliseconds since the Unix epoch, by the clock of this machine'),
});

const SESSION = {
  profile: text('the name of the stored session'),
  homeserver: HOMESERVER,
  user_id: USER_ID,
  device_id: DEVICE_ID,
};

/** A line of the event log of `serve` and `gateway`. */
const LOG_ENTRY = object<Versioned<LogEntry>>({
  v: VERSION,
  direction: word(['in', 'out']),
  sender: USER_ID,
  to: USER_ID,
  device: DEVICE_ID,
  type: text('the event type'),
  via: word(['client', 'federation']),
  outcome: word(['handled', 'failed', 'dropped', 'overflow', 'duplicate', 'spoofed', 'limited']),
  'content?': anything('only where it was handled'),
});

/** What every run of `bench` tells of itself. */
const BENCH_RUN = {
  v: VERSION,
  ended: word(['count', 'time', 'failure', 'interrupted'], 'count: all was done; time: --timeout was over'),
  elapsed_ms: measure(),
  rate: measure('how many a second, over elapsed_ms'),
};

/** The same where the time that each took was measured. */
const TIMED_BENCH_RUN = {
  ...BENCH_RUN,
  count: count(1, 'how many there were to be'),
  concurrency: count(1, 'requests in flight'),
  'rate_limit?': measure('at most so many a second were asked for; not there without a limit'),
  'latency_ms?': object<LatencyMs>(
    { min: measure(), mean: measure(), p50: measure(), p90: measure(), p99: measure(), max: measure() },
    'milliseconds; not there when nothing was done',
  ),
  'histogram?': object<HistogramResult>({
    relative_error: measure('how far a percentile may be off, in parts of it'),
    buckets: list(
      object<BucketResult>({ upto_ms: measure('milliseconds'), count: count(1) }),
      'those that hold something, shortest first; each begins where the one before it in the whole row ends',
    ),
  }),
  failed: count(0, 'requests, or rounds, that failed'),
  unanswered: count(0, 'under way when the run ended: nobody knows what became of them'),
};

function grade(isHistorical: boolean): JsonSchema {
  return object<Grade & { code?: string }>({
    valid: truth(),
    'code?': ID_CODE,
    ...(isHistorical ? { 'compliant?': truth('only where valid') } : {}),
  });
}

/** By command; `error` is what every command prints on stderr when it fails. */
export const OUTPUT_SCHEMAS = {
  login: {
    description: 'the session that was stored',
    lines: [object<LoginResult>({ v: VERSION, ...SESSION, config_file: text() })],
  },
  logout: {
    description: 'a line for each profile that was removed',
    lines: [
      object<LogoutResult>({
        v: VERSION,
        ...SESSION,
        session: word(['ended', 'over', 'unknown'], 'what became of it at the homeserver'),
      }),
    ],
  },
  whoami: {
    description: 'whom the access token stands for',
    lines: [
      object<WhoamiResult>({
        v: VERSION,
        user_id: USER_ID,
        'device_id?': text('not there for a token without a device'),
        homeserver: HOMESERVER,
        source: word(['flag', 'environment', 'profile'], 'where homeserver and token come from'),
        'profile?': SESSION.profile,
      }),
    ],
  },
  profiles: {
    description: 'a line for each profile; for "profiles use", the one that is now current',
    lines: [object<ProfileResult>({ v: VERSION, ...SESSION, current: truth() })],
  },
  send: {
    description:
      'a line for each message: accepted, not accepted (with --ndjson), or planned (with --dry-run)',
    lines: [
      object<AcceptedResult>(
        {
          v: VERSION,
          status: constant('accepted'),
          'line?': LINE,
          'as?': text('with --as: the server user that it was sent as'),
          to: USER_ID,
          device: DEVICE_ID,
          type: text('the event type'),
          txn_id: TXN_ID,
          attempts: count(1),
          elapsed_ms: count(0),
        },
        'the homeserver, or with --as the other server, accepted it, which does not say that anyone got it',
      ),
      object<UnsentResult>({
        v: VERSION,
        status: word(
          ['rejected', 'failed'],
          'rejected: it cannot be sent, or was refused; failed: it may do better another time',
        ),
        line: LINE,
        'txn_id?': TXN_ID,
        error: ERROR,
      }),
      object<Versioned<PlannedRequest>>({
        v: VERSION,
        method: constant('PUT'),
        url: text('the path alone where no homeserver is known'),
        body: anything('{"messages":{"user":{"device":content}}}; with --as, a transaction with one EDU'),
        'line?': LINE,
      }),
    ],
  },
  listen: {
    description:
      'a line for each event; with --raw its content alone; with --discard how many were thrown away',
    lines: [EVENT, object<{ v: 1; discarded: number }>({ v: VERSION, discarded: count(0) })],
  },
  request: { description: 'a line for each answer', lines: [EVENT] },
  'validate-id': {
    description: 'a line for each identifier, or with --count one for all',
    lines: [
      object<IdResult>({
        v: VERSION,
        id: text('as given; what is no UTF-8 is shown as U+FFFD'),
        kind: word(['user', 'server', 'device']),
        valid: truth('by the grammar asked for'),
        is_server: truth('it stands for a server'),
        localpart: orNull(text()),
        server_name: orNull(text()),
        'code?': ID_CODE,
        'reason?': text('the code in words'),
        warnings: list(word(Object.keys(ID_WARNINGS))),
        grammars: object<IdResult['grammars']>({
          strict: grade(false),
          historical: grade(true),
          msc4246: grade(false),
        }),
      }),
      object<IdCount>({ v: VERSION, total: count(0), valid: count(0), invalid: count(0) }),
    ],
  },
  serve: {
    description: 'first that it is ready, then a line for each message to the server and each answer of it',
    lines: [
      object<ReadyResult>({
        v: VERSION,
        ready: constant(true),
        homeserver: HOMESERVER,
        'federation?': text('the URL of the federation API over TLS, without a final slash'),
        server_name: text(),
        users: list(
          object<ReadyUser>({
            user_id: USER_ID,
            device_id: DEVICE_ID,
            access_token: text(),
            'password?': text('only at the start that made the account'),
          }),
        ),
      }),
      LOG_ENTRY,
    ],
  },
  gateway: {
    description:
      'first that it is ready, then a line for each message to the server and each answer of it; for "gateway init", what was made',
    lines: [
      object<GatewayReadyResult>({
        v: VERSION,
        ready: constant(true),
        homeserver: HOMESERVER,
        server_name: text(),
        user_id: USER_ID,
      }),
      object<QueueReadyResult>({
        v: VERSION,
        ready: constant(true),
        server_name: text(),
        queue: text('the queue group'),
        subjects: list(text('where its messages come from, a nats:// URL')),
      }),
      LOG_ENTRY,
      object<GatewayInitResult>({
        v: VERSION,
        registration: text('where the registration is, as typed'),
        homeserver: HOMESERVER,
        server_name: text(),
        user_id: USER_ID,
      }),
    ],
  },
  check: {
    description: 'a line for each requirement; with --list, what can be known of it',
    lines: [
      object<CheckResult>({
        v: VERSION,
        requirement: REQUIREMENT,
        verdict: word(VERDICTS, 'pass: it was seen; fail: the contrary was seen'),
        level: word(LEVELS),
        basis: word(BASES, 'whose demand decided; "reading" is ours, and no server fails for it'),
        title: text(),
        seen: text('what was seen, or why nothing was'),
      }),
      object<ListedRequirement>({
        v: VERSION,
        requirement: REQUIREMENT,
        level: word(LEVELS),
        basis: word(BASES),
        title: text(),
        provable: word(PROVABLES, 'by reply: only where the homeserver answers a message'),
        needs: list(word(NEEDS), 'what it takes to look at all of it'),
        'why?': text('why it cannot be known'),
      }),
    ],
  },
  bench: {
    description: 'what was measured, one object a run',
    lines: [
      object<SendBenchResult>(
        {
          ...TIMED_BENCH_RUN,
          bench: constant('send'),
          homeserver: HOMESERVER,
          to: USER_ID,
          device: DEVICE_ID,
          type: text('the event type'),
          accepted: count(0, 'accepted by the homeserver, which does not say that anyone got them'),
        },
        'latency: how long the homeserver took to accept a message',
      ),
      object<ListenBenchResult>(
        {
          ...TIMED_BENCH_RUN,
          bench: constant('listen'),
          homeserver: HOMESERVER,
          from: USER_ID,
          to: USER_ID,
          device: DEVICE_ID,
          type: text('the event type'),
          accepted: count(0, 'accepted by the homeserver'),
          received: count(0, 'read, and so measured'),
          missing: count(0, 'accepted, and not read in time'),
        },
        'latency: from the begin of the request to when its event was read',
      ),
      object<ServeBenchResult>(
        {
          ...TIMED_BENCH_RUN,
          bench: constant('serve'),
          rounds: count(0, 'of sendToDevice and the sync that brings what was sent'),
          requests_per_round: count(1),
        },
        'latency: how long a round took',
      ),
      object<ValidateBenchResult>({
        ...BENCH_RUN,
        bench: constant('validate'),
        source: word(['generated', 'file', 'stdin']),
        kind: word(['user', 'server', 'device']),
        grammar: word(['msc4246', 'strict', 'historical']),
        total: count(0),
        valid: count(0),
        invalid: count(0),
        bytes: count(0),
      }),
    ],
  },
  keygen: {
    description: 'what is public of the key that was made',
    lines: [
      object<KeygenResult>({
        v: VERSION,
        key_id: text('ed25519:VERSION'),
        public_key: text('unpadded base64'),
        file: text('where the key is, as typed'),
      }),
    ],
  },
  error: {
    description: 'the last line of stderr when a command fails and its output is JSON',
    lines: [object<{ v: 1; error: ErrorBody }>({ v: VERSION, error: ERROR })],
  },
} as const satisfies Record<string, OutputSchema>;

/** What `mx2s schema` knows. */
export type OutputName = keyof typeof OUTPUT_SCHEMAS;

/** The schema of one command's lines. */
export function schemaOf(name: OutputName): JsonSchema {
  return { $schema: DIALECT, ...partFor(name) };
}

/** One document with all of them under `$defs`; a line of any command is valid against it. */
export function schemaOfAll(): JsonSchema {
  const names = Object.keys(OUTPUT_SCHEMAS) as OutputName[];
  return {
    $schema: DIALECT,
    title: 'mx2s',
    description: 'a line of output of any command',
    anyOf: names.map((name) => ({ $ref: `#/$defs/${name}` })),
    $defs: Object.fromEntries(names.map((name) => [name, partFor(name)])),
  };
}

function partFor(name: OutputName): JsonSchema {
  const { description, lines }: OutputSchema = OUTPUT_SCHEMAS[name];
  const title = name === 'error' ? 'mx2s, an error' : `mx2s ${name}`;
  return lines.length === 1 ? { title, description, ...lines[0] } : { title, description, anyOf: lines };
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
