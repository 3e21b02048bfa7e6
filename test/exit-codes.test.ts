/** Every exit status and every `error.code`, each brought about for real through the command line. */
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import {
  DeadlineError,
  InterruptedError,
  MatrixError,
  ReaderGoneError,
  UsageError,
  type ErrorCode,
} from '../src/errors.js';
import { ERROR_ROWS, EXIT_ROWS, exitCodeOf, type ExitCode } from '../src/exit-codes.js';
import { openPlace, openServer, PASSWORD, type Place } from './commands/account.js';
import { json, startLoopbackServer, type Respond } from './http/loopback-server.js';
import { runCli, type Finished, type RunSettings } from './kit/run-cli.js';

interface ErrorCase {
  readonly run: () => Promise<Finished>;
  readonly exit: ExitCode;
  readonly message: RegExp;
  /** undefined: there is nothing to be done about it. */
  readonly hint: RegExp | undefined;
  readonly retryable: boolean;
}

const SEND = ['send', '@:example.org', '-t', 'org.example.type'];

/** A code without a row does not compile. */
const ERROR_CASES = {
  usage: {
    run: () => runCli(['send']),
    exit: 2,
    message: /^TO is missing$/,
    hint: /^name @:example\.org for a server/,
    retryable: false,
  },
  invalid_input: {
    run: () => runCli([...SEND, '-d', '{"a":1.5}']),
    exit: 2,
    message: /^the content cannot be sent: the number 1\.5 is not an integer, at \/a$/,
    hint: /^send it as a string, or scaled/,
    retryable: false,
  },
  unreadable_file: {
    run: () => runCli([...SEND, '-d', '@/nonexistent/content.json']),
    exit: 2,
    message: /^cannot read the content from \/nonexistent\/content\.json: no such file$/,
    hint: /^check the path/,
    retryable: false,
  },
  device_locked: {
    run: async () => {
      const { place } = await loggedIn();
      const first = place.start(['listen', '--ready-file', `${place.directory}/ready`]);
      await first.stderr.until(/ready/);
      const second = await place.run(['listen']);
      first.signal('SIGINT');
      await first.done;
      return second;
    },
    exit: 2,
    message: /^another mx2s \(process \d+\) reads the messages of this device$/,
    hint: /^stop process \d+, or log in on a device of its own/,
    retryable: false,
  },
  shared_device: {
    run: async () => {
      const { place, env } = await tokenOfAnotherClient();
      return place.run(['listen', '--drain'], { env });
    },
    exit: 2,
    message: /^the device PHONE of @alice:example\.org has encryption keys/,
    hint: /--shared-device reads all the same$/,
    retryable: false,
  },
  not_logged_in: {
    run: async () => (await openPlace()).run(['whoami']),
    exit: 4,
    message: /^you are not logged in$/,
    hint: /mx2s login/,
    retryable: false,
  },
  token_refused: {
    run: async () => {
      const { homeserver } = await openServer();
      return runCli(['whoami'], { env: { MX2S_HOMESERVER: homeserver, MX2S_ACCESS_TOKEN: 'wrong' } });
    },
    exit: 4,
    message: /^GET http:\S+\/whoami was answered 401 M_UNKNOWN_TOKEN/,
    hint: /mx2s login/,
    retryable: false,
  },
  refused: {
    run: () =>
      sendTo((_, response) => json(response, 400, { errcode: 'M_BAD_JSON', error: 'no empty devices' })),
    exit: 1,
    message: /^PUT http:\S+ was answered 400 M_BAD_JSON: no empty devices$/,
    hint: /--device '\*'/,
    retryable: false,
  },
  hook_failed: {
    run: async () => {
      const { place, ping } = await loggedIn();
      await ping();
      return place.run(['listen', '--drain', '--exec', 'exit 3', '--hook-retries', '0']);
    },
    exit: 1,
    message: /^--exec: the command ended with status 3$/,
    hint: /--on-hook-failure skip$/,
    retryable: false,
  },
  disk: {
    run: () => runCli(['validate-id', '@:a'], { breakStdout: { code: 'ENOSPC', afterWrites: 0 } }),
    exit: 1,
    message: /^cannot write to stdout/,
    hint: /^check the disk/,
    retryable: false,
  },
  network: {
    run: () => sendTo((_, response) => response.destroy()),
    exit: 5,
    message: /^PUT http:\S+: the connection was cut off/,
    hint: /^try again$/,
    retryable: true,
  },
  redirect: {
    run: () => sendTo((_, response) => response.writeHead(307, { location: 'http://other.invalid/' }).end()),
    exit: 5,
    message: /^307 from PUT http:\S+ redirects to another origin, http:\/\/other\.invalid\/$/,
    hint: /use that URL$/,
    retryable: false,
  },
  malformed_response: {
    run: () => sendTo((_, response) => response.end('<title>Welcome</title>')),
    exit: 5,
    message: /the answer is not a JSON object$/,
    hint: /^is this a Matrix homeserver\?$/,
    retryable: false,
  },
  server_error: {
    run: () => sendTo((_, response) => json(response, 500, { errcode: 'M_UNKNOWN', error: 'oops' })),
    exit: 5,
    message: /was answered 500 M_UNKNOWN: oops$/,
    hint: /try again later/,
    retryable: true,
  },
  rate_limited: {
    run: () =>
      sendTo((_, response) => json(response, 429, { errcode: 'M_LIMIT_EXCEEDED' }, { 'retry-after': '300' })),
    exit: 6,
    message: / 300 s .*--max-wait allows 60 s/,
    hint: /--max-wait/,
    retryable: true,
  },
  deadline: {
    run: async () => (await loggedIn()).place.run(['listen', '--count', '1', '--timeout', '200ms']),
    exit: 124,
    message: /^0 of 1 events came before the time was up/,
    hint: undefined,
    retryable: true,
  },
  interrupted: {
    run: () => interrupted('SIGINT'),
    exit: 130,
    message: /^interrupted by SIGINT$/,
    hint: undefined,
    retryable: false,
  },
  bug: {
    run: () => runCli(['validate-id', '-'], { stdin: brokenStdin() }),
    exit: 70,
    message: /^a bug in mx2s: TypeError: made up$/,
    hint: /--verbose/,
    retryable: false,
  },
} satisfies Record<ErrorCode, ErrorCase>;

describe.each(Object.entries(ERROR_CASES) as [ErrorCode, ErrorCase][])('error.code %s', (code, expected) => {
  it(`exits ${String(expected.exit)} and says what and what next`, async () => {
    const { code: exit, stderr } = await expected.run();
    const { error } = JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as {
      error: Record<string, unknown>;
    };
    expect({ exit, code: error['code'] }).toEqual({ exit: expected.exit, code });
    expect(error['message']).toMatch(expected.message);
    if (expected.hint === undefined) expect(error).not.toHaveProperty('hint');
    else expect(error['hint']).toMatch(expected.hint);
    expect(error['retryable']).toBe(expected.retryable);
    expect(ERROR_ROWS[code].exit).toBe(expected.exit);
    for (const text of [error['message'], error['hint'] ?? ''] as string[]) {
      expect(text).not.toMatch(/^[A-Z][a-z]+ [a-z]|\.$|!|secret-token/);
    }
  });
});

/** A status without a case does not compile. */
const EXIT_CASES = {
  0: () => runCli(['validate-id', '@:example.org']),
  1: () => runCli(['validate-id', '@alice']),
  2: () => runCli([]),
  4: ERROR_CASES.not_logged_in.run,
  5: ERROR_CASES.network.run,
  6: ERROR_CASES.rate_limited.run,
  70: ERROR_CASES.bug.run,
  124: ERROR_CASES.deadline.run,
  130: () => interrupted('SIGINT'),
  143: () => interrupted('SIGTERM'),
} satisfies Record<ExitCode, () => Promise<Finished>>;

describe('exit status', () => {
  it.each(Object.entries(EXIT_CASES))('%s comes about', async (status, run) => {
    expect((await run()).code).toBe(Number(status));
  });

  it('has a row for each in the table that people read', () => {
    expect(EXIT_ROWS.flatMap(({ codes }) => codes).sort((a, b) => a - b)).toEqual(
      Object.keys(EXIT_CASES).map(Number),
    );
  });

  it('is the same as text', async () => {
    const { code, stderr } = await runCli([...SEND, '-d', '[]', '--text']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^hint: write one JSON object.*\nmx2s: the content cannot be sent.*\n$/);
  });

  it('of a bug comes with its stack, if asked for', async () => {
    const { stderr } = await runCli(['validate-id', '-', '--text', '--verbose'], { stdin: brokenStdin() });
    expect(stderr).toMatch(/^TypeError: made up\n +at /);
    expect(stderr).toMatch(/\nmx2s: a bug in mx2s: TypeError: made up\n$/);
  });
});

describe('exitCodeOf', () => {
  it.each<[unknown, ExitCode]>([
    [new ReaderGoneError(), 0],
    [new InterruptedError('SIGINT'), 130],
    [new InterruptedError('SIGTERM'), 143],
    [new UsageError('x'), 2],
    [new DeadlineError(1, 'x'), 124],
    [matrixError(403, 'M_FORBIDDEN'), 1],
    [matrixError(403, undefined), 1],
    [matrixError(404, 'M_NOT_FOUND'), 1],
    [matrixError(401, 'M_UNKNOWN_TOKEN'), 4],
    [matrixError(403, 'M_MISSING_TOKEN'), 4],
    [matrixError(500, 'M_UNKNOWN'), 5],
    [matrixError(502, undefined), 5],
    [new TypeError('x'), 70],
    ['x', 70],
    [undefined, 70],
  ])('%o is %d', (error, exit) => {
    expect(exitCodeOf(error)).toBe(exit);
  });
});

async function sendTo(respond: Respond): Promise<Finished> {
  const { url } = await startLoopbackServer(respond);
  const env = { MX2S_HOMESERVER: url, MX2S_ACCESS_TOKEN: 'secret-token' };
  return runCli([...SEND, '--retries', '0'], { env });
}

async function interrupted(signal: 'SIGINT' | 'SIGTERM'): Promise<Finished> {
  const { place } = await loggedIn();
  const ready = `${place.directory}/ready`;
  const running = place.start(['listen', '--count', '1', '--ready-file', ready]);
  await running.stderr.until(/ready/);
  running.signal(signal);
  return running.done;
}

async function loggedIn(): Promise<{ place: Place; ping: () => Promise<void> }> {
  const [place, server] = await Promise.all([openPlace(), openServer()]);
  const user = `@alice:${server.serverName}`;
  await place.run(['login', user, '--homeserver', server.homeserver], { env: { MX2S_PASSWORD: PASSWORD } });
  return {
    place,
    ping: async () => {
      await place.run(['send', `@:${server.serverName}`, '-t', 'mx2s.ping', '-d', '{"nonce":"n"}']);
      await server.settled();
    },
  };
}

/** A token that mx2s did not make, of a device that has published keys. */
async function tokenOfAnotherClient(): Promise<{ place: Place; env: NonNullable<RunSettings['env']> }> {
  const device = { user_id: '@alice:example.org', device_id: 'PHONE' };
  const { url } = await startLoopbackServer(({ path }, response) =>
    json(
      response,
      200,
      path.endsWith('/whoami')
        ? device
        : { device_keys: { [device.user_id]: { PHONE: { ...device, keys: { 'ed25519:PHONE': 'key' } } } } },
    ),
  );
  return { place: await openPlace(), env: { MX2S_HOMESERVER: url, MX2S_ACCESS_TOKEN: 'secret-token' } };
}

/** No error of ours, and none of the system's: what only a bug could throw. */
function brokenStdin(): Readable {
  return new Readable({
    read() {
      this.destroy(new TypeError('made up'));
    },
  });
}

function matrixError(status: number, errcode: string | undefined): MatrixError {
  return new MatrixError({ status, errcode, method: 'GET', url: 'http://localhost/' }, 'no');
}
