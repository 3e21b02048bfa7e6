import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COMMANDS } from '../../src/commands/index.js';
import { startServer, type RunningServer } from '../../src/server/listen.js';
import { OUTPUT_SCHEMAS, schemaOf, schemaOfAll, type OutputName } from '../../src/ui/schema/outputs.js';
import type { JsonSchema } from '../../src/ui/schema/json-schema.js';
import { StubHomeserver } from '../gateway/homeserver.js';
import { runBinary } from '../kit/binary.js';
import { startNatsBroker } from '../kit/nats-broker.js';
import { json, startLoopbackServer } from '../http/loopback-server.js';
import { startCli } from '../kit/run-cli.js';
import { makeTempDir } from '../kit/temp-dir.js';
import { openPlace, type Place } from './account.js';

/** Commands whose output is for people or for programs with a format of their own. */
const WITHOUT_JSON = ['completion', 'demo', 'schema', 'exit-codes'];

/** How each command is brought to print every kind of line that it has. */
const REAL_OUTPUT = {
  login: async () => {
    const { place, alice } = await openStage();
    return linesOf(
      await place.run(['login', alice.userId, '--homeserver', alice.homeserver], alice.password),
    );
  },
  logout: async () => {
    const { place, alice } = await openStage();
    await place.run(['login', alice.userId, '--homeserver', alice.homeserver], alice.password);
    return linesOf(await place.run(['logout']));
  },
  whoami: async () => {
    const { place, alice } = await openStage();
    await place.run(['login', alice.userId, '--homeserver', alice.homeserver], alice.password);
    return [...linesOf(await place.run(['whoami'])), ...linesOf(await place.run(['whoami'], alice.token))];
  },
  profiles: async () => {
    const { place, alice } = await openStage();
    await place.run(['login', alice.userId, '--homeserver', alice.homeserver], alice.password);
    return [
      ...linesOf(await place.run(['profiles'])),
      ...linesOf(await place.run(['profiles', 'use', 'default'])),
    ];
  },
  send: async () => {
    const { place, alice } = await openStage();
    const argv = ['send', '@:example.org', '-t', 'org.example.type'];
    const refusing = await startLoopbackServer((_, response) =>
      json(response, 429, { errcode: 'M_LIMIT_EXCEEDED', error: 'slowly' }, { 'retry-after': '100' }),
    );
    const env = { ...alice.token.env, MX2S_HOMESERVER: refusing.url };
    return [
      ...linesOf(await place.run([...argv, '-n'])),
      ...linesOf(await place.run([...argv, '-n', '--ndjson'], { stdin: '{}\n' })),
      ...linesOf(await place.run(argv, alice.token)),
      ...linesOf(await place.run([...argv, '--ndjson'], { ...alice.token, stdin: '{}\n[]\n' })),
      ...linesOf(await place.run([...argv, '--ndjson'], { env, stdin: '{}\n' })),
    ];
  },
  listen: async () => {
    const { place, alice, ping } = await openStage();
    await ping();
    const printed = await place.run(['listen', '--drain', '--any-sender', '--shared-device'], alice.token);
    return [
      ...linesOf(printed),
      ...linesOf(await place.run(['listen', '--discard', '--shared-device'], alice.token)),
    ];
  },
  request: async () => {
    const { place, alice, server } = await openStage();
    const argv = [
      'request',
      `@:${server.serverName}`,
      '-t',
      'mx2s.ping',
      '-d',
      '{"nonce":"n"}',
      '--shared-device',
    ];
    return linesOf(await place.run(argv, alice.token));
  },
  'validate-id': async () => {
    const { place } = await openStage();
    const ids = ['@:example.org', '@Alice:Example.ORG', '@alice', '', '@\u200b:a', '@:a..b'];
    return [
      ...linesOf(await place.run(['validate-id', ...ids])),
      ...linesOf(await place.run(['validate-id', '-'], { stdin: Buffer.from([0xff, 0x0a]) })),
      ...linesOf(await place.run(['validate-id', '--kind', 'device', '', '*', 'D'])),
      ...linesOf(await place.run(['validate-id', '--kind', 'server', 'example.org', 'x_y'])),
      ...linesOf(await place.run(['validate-id', '--count', ...ids])),
    ];
  },
  serve: async () => {
    const running = startCli(['serve', '--on', 'org.example.fails=exec:exit 1']);
    const ready = JSON.parse((await running.stdout.until(/\n/)).split('\n')[0] ?? '') as Ready;
    const env = { MX2S_HOMESERVER: ready.homeserver, MX2S_ACCESS_TOKEN: ready.users[0]?.access_token };
    for (const type of ['mx2s.ping', 'org.example.fails', 'org.example.unknown']) {
      await startCli(['send', `@:${ready.server_name}`, '-t', type, '-d', '{"nonce":"n"}'], { env }).done;
    }
    await running.stdout.until(/(?:.*\n){5}/);
    running.signal('SIGTERM');
    return linesOf(await running.done);
  },
  gateway: async () => {
    const { place } = await openStage();
    const stub = await StubHomeserver.start();
    const registration = join(place.directory, 'mx2s.yaml');
    const init = await place.run([
      ...['gateway', 'init', '--homeserver', stub.url, '--server-name', stub.serverName],
      ...['--registration', registration],
    ]);
    const text = await readFile(registration, 'utf8');
    await writeFile(registration, text.replace(/as_token: .*/, `as_token: ${stub.asToken}`));
    const running = place.start(['gateway', '--registration', registration, '--on', 'org.example.*=echo']);
    const sender = '@alice:example.org';
    stub.push({ sender, type: 'org.example.a', content: {} }, { sender, type: 'org.unknown', content: {} });
    await running.stdout.until(/(?:.*\n){4}/);
    running.signal('SIGTERM');
    const { port } = await startNatsBroker();
    const member = place.start([
      ...['gateway', '--server-name', stub.serverName, '--nats-queue', 'workers'],
      ...['--on', `*=nats://127.0.0.1:${port}/a`, '--on', '*=echo'],
    ]);
    await member.stdout.until(/"ready":true/);
    member.signal('SIGTERM');
    return [init, await running.done, await member.done].flatMap(linesOf);
  },
  check: async () => {
    const { place, alice } = await openStage();
    const argv = ['check', alice.homeserver, '--only', 'R-9,R-21', '--shared-device'];
    return [...linesOf(await place.run(argv, alice.token)), ...linesOf(await place.run(['check', '--list']))];
  },
  bench: async () => {
    const { place, server, alice } = await openStage();
    const few = ['--count', '3', '--rate', 'max', '--shared-device'];
    const sends = ['bench', 'send', `@:${server.serverName}`, '-t', 'org.example.a', '--count', '3'];
    // whom `bench serve` starts is the real program: in place of this one
    const serve = await runBinary(['bench', 'serve', '--count', '3', '-j', '1'], { home: place.directory });
    return [
      ...linesOf(await place.run([...sends, '--rate', '1000/s'], alice.token)),
      ...linesOf(await place.run(sends, { env: { ...alice.token.env, MX2S_ACCESS_TOKEN: 'nobody' } })),
      ...linesOf(await place.run(['bench', 'listen', ...few], alice.token)),
      ...linesOf(serve),
      ...linesOf(await place.run(['bench', 'validate', '--count', '10'])),
    ];
  },
  keygen: async () => {
    const { place } = await openStage();
    const dir = await makeTempDir();
    onTestFinished(() => dir.remove());
    return linesOf(await place.run(['keygen', join(dir.path, 'signing.key')]));
  },
  error: async () => {
    const { place, alice } = await openStage();
    const refusing = await startLoopbackServer((_, response) =>
      json(response, 403, { errcode: 'M_FORBIDDEN' }),
    );
    const failures = [
      await place.run(['nonsense']),
      await place.run(['send', 'x', '-t', 't']),
      await place.run(['whoami']),
      await place.run(['whoami'], { env: { ...alice.token.env, MX2S_HOMESERVER: refusing.url } }),
    ];
    return failures.map(({ stderr }) => JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as unknown);
  },
} satisfies Record<OutputName, () => Promise<unknown[]>>;

describe.each(Object.keys(REAL_OUTPUT) as OutputName[])('the schema of %s', (name) => {
  it('holds for real output, which has every kind of line and no member besides', async () => {
    const lines = await REAL_OUTPUT[name]();
    expect(lines.length).toBeGreaterThan(0);
    const kinds = OUTPUT_SCHEMAS[name].lines.map((kind) => compile(closed(kind)));
    const asPrinted = compile(schemaOf(name));
    const seen = new Set<ValidateFunction>();
    for (const line of lines) {
      expect([line, asPrinted(line), asPrinted.errors]).toEqual([line, true, null]);
      const fitting = kinds.filter((kind) => kind(line));
      expect([line, fitting.length, kinds.map(({ errors }) => errors)]).toEqual([line, 1, expect.anything()]);
      for (const kind of fitting) seen.add(kind);
    }
    expect(seen.size).toBe(kinds.length);
  });

  it('is what mx2s schema prints, and refuses other things', async () => {
    const { place } = await openStage();
    const { code, stdout } = await place.run(['schema', name]);
    expect([code, JSON.parse(stdout)]).toEqual([0, schemaOf(name)]);
    const validate = compile(JSON.parse(stdout) as JsonSchema);
    for (const other of [{}, { v: 1 }, { v: 2, status: 'accepted' }, [], 'x', null]) {
      expect(validate(other)).toBe(false);
    }
  });
});

describe('mx2s schema', () => {
  it('has a schema for each command that prints JSON, and for errors', () => {
    const commands = COMMANDS.map(({ name }) => name).filter((name) => !WITHOUT_JSON.includes(name));
    expect(Object.keys(OUTPUT_SCHEMAS).sort()).toEqual([...commands, 'error'].sort());
  });

  it('prints all of them in one document, its own form whatever the format', async () => {
    const { place } = await openStage();
    const { stdout } = await place.run(['schema', '--text']);
    expect(JSON.parse(stdout)).toEqual(schemaOfAll());
    const validate = compile(schemaOfAll());
    expect(validate({ v: 1, discarded: 3 })).toBe(true);
    expect(validate({ v: 1, error: { code: 'usage', message: 'm', retryable: false } })).toBe(true);
    expect(validate({ v: 1 })).toBe(false);
    expect(stdout).toMatch(/^\{\n {2}"\$schema": "https:\/\/json-schema\.org\/draft\/2020-12\/schema",\n/);
  });

  it('refuses what has none', async () => {
    const { place } = await openStage();
    for (const name of ['nonsense', 'demo']) {
      const { code, stderr } = await place.run(['schema', name]);
      expect(code).toBe(2);
      expect(stderr).toContain(`'${name}' is invalid`);
    }
  });
});

interface Ready {
  readonly homeserver: string;
  readonly server_name: string;
  readonly users: readonly { readonly access_token: string }[];
}

interface Stage {
  readonly place: Place;
  readonly server: RunningServer;
  readonly alice: {
    readonly userId: string;
    readonly homeserver: string;
    /** Settings that log her in, and settings in which she is. */
    readonly password: { readonly env: Record<string, string> };
    readonly token: { readonly env: Record<string, string> };
  };
  /** Lets the server answer her. */
  ping(): Promise<void>;
}

async function openStage(): Promise<Stage> {
  const place = await openPlace();
  const server = await startServer();
  onTestFinished(() => server.stop());
  const [user] = server.users;
  if (user === undefined) throw new Error('the server has no user');
  const { homeserver } = server;
  const token = { env: { MX2S_HOMESERVER: homeserver, MX2S_ACCESS_TOKEN: user.accessToken } };
  return {
    place,
    server,
    alice: {
      userId: user.userId,
      homeserver,
      password: { env: { MX2S_PASSWORD: user.password ?? '' } },
      token,
    },
    ping: async () => {
      await place.run(['send', `@:${server.serverName}`, '-t', 'mx2s.ping', '-d', '{"nonce":"n"}'], token);
      await server.settled();
    },
  };
}

function linesOf({ stdout, stderr }: { stdout: string; stderr: string }): unknown[] {
  const lines = stdout.split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new Error(`nothing was printed: ${stderr}`);
  return lines.map((line) => JSON.parse(line) as unknown);
}

function compile(schema: JsonSchema): ValidateFunction {
  return new Ajv2020({ allErrors: true, strict: true, strictTypes: false, strictRequired: false }).compile(
    schema,
  );
}

/** The same schema, but no object may have a member that it does not name. */
function closed(schema: unknown): JsonSchema {
  if (Array.isArray(schema)) return schema.map(closed) as unknown as JsonSchema;
  if (typeof schema !== 'object' || schema === null) return schema as JsonSchema;
  const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)]);
  const isObject = 'properties' in schema;
  return {
    ...(Object.fromEntries(entries) as JsonSchema),
    ...(isObject ? { additionalProperties: false } : {}),
  };
}
