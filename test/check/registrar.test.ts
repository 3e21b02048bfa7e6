import { describe, expect, it } from 'vitest';
import { systemChance } from '../../src/chance.js';
import { Registrar, stagesOf, type MadeAccount } from '../../src/check/registrar.js';
import { systemClock } from '../../src/clock.js';
import { HttpClient } from '../../src/http/client.js';
import { openTransport } from '../../src/http/transport.js';
import { parseJson } from '../../src/wire/json.js';
import { json, startLoopbackServer, type Respond } from '../http/loopback-server.js';

const SIGNAL = new AbortController().signal;

async function open(respond: Respond) {
  const server = await startLoopbackServer(respond);
  const transport = openTransport({});
  const http = new HttpClient({
    transport,
    clock: systemClock,
    chance: systemChance,
    policy: { retries: 0, maxWaitMs: 0 },
  });
  const registrar = new Registrar({ http, homeserver: server.url, chance: systemChance });
  return { server, registrar };
}

const ACCOUNT = { user_id: '@a:hs.test', access_token: 'token', device_id: 'D' };

function bodyOf({ body }: { readonly body: string }): Record<string, unknown> {
  return JSON.parse(body) as Record<string, unknown>;
}

describe('a registrar', () => {
  it('makes an account with a dummy, and deactivates it with its password', async () => {
    const { server, registrar } = await open(({ path }, response) =>
      json(response, 200, path.endsWith('/register') ? ACCOUNT : {}),
    );
    const made = await registrar.register('name', SIGNAL);
    expect(made).toMatchObject({ userId: '@a:hs.test', accessToken: 'token' });
    expect(await registrar.close(SIGNAL)).toEqual([]);
    const [register, deactivate] = server.asked;
    const { password } = made as MadeAccount;
    expect(bodyOf(register ?? { body: '' })).toEqual({
      username: 'name',
      password,
      auth: { type: 'm.login.dummy' },
    });
    expect(deactivate?.path).toBe('/_matrix/client/v3/account/deactivate');
    expect(deactivate?.headers.authorization).toBe('Bearer token');
    expect(bodyOf(deactivate ?? { body: '' })).toEqual({
      auth: { type: 'm.login.password', identifier: { type: 'm.id.user', user: '@a:hs.test' }, password },
    });
    expect(await registrar.close(SIGNAL)).toEqual([]);
    expect(server.asked).toHaveLength(2);
  });

  it('names the session where a server wants it named', async () => {
    const { server, registrar } = await open((asked, response) => {
      const auth = bodyOf(asked)['auth'] as { session?: string };
      if (auth.session === 's') json(response, 200, ACCOUNT);
      else json(response, 401, { flows: [], session: 's' });
    });
    expect(await registrar.register('name', SIGNAL)).toMatchObject({ userId: '@a:hs.test' });
    expect(await registrar.close(SIGNAL)).toEqual([]);
    expect(server.asked).toHaveLength(4);
  });

  it('asks without a confirmation, and deactivates what came of it all the same', async () => {
    const { server, registrar } = await open(({ path }, response) =>
      json(response, 200, path.endsWith('/register') ? ACCOUNT : {}),
    );
    expect(await registrar.registerUnconfirmed('', SIGNAL)).toMatchObject({ userId: '@a:hs.test' });
    expect(await registrar.close(SIGNAL)).toEqual([]);
    const [register, deactivate] = server.asked.map((asked) => bodyOf(asked));
    expect(register).toEqual({ username: '', password: expect.stringMatching(/^[0-9a-f]{48}$/) as string });
    expect(deactivate).toMatchObject({ auth: { password: register?.['password'] } });
  });

  it('says what it was told in place of an account', async () => {
    const flows = [{ stages: ['m.login.recaptcha', 'm.login.dummy'] }, { stages: ['m.login.recaptcha'] }];
    const { registrar } = await open((_asked, response) => json(response, 401, { flows, session: 's' }));
    const told = await registrar.register('name', SIGNAL);
    if ('userId' in told) throw new Error('that is an account');
    expect(told).toMatchObject({ status: 401, errcode: undefined });
    expect(stagesOf(told)).toEqual(['m.login.recaptcha', 'm.login.dummy']);
    expect(await registrar.close(SIGNAL)).toEqual([]);
  });

  it('says which accounts are left, whatever became of them', async () => {
    const { registrar } = await open(({ path }, response, index) => {
      if (path.endsWith('/register'))
        json(response, 200, { ...ACCOUNT, user_id: `@${String(index)}:hs.test` });
      else if (index === 2) json(response, 403, { errcode: 'M_FORBIDDEN' });
      else response.destroy();
    });
    await registrar.register('a', SIGNAL);
    await registrar.register('b', SIGNAL);
    expect(await registrar.close(SIGNAL)).toEqual(['@0:hs.test', '@1:hs.test']);
  });

  it('finds the account of a registration that was called off, and deactivates it', async () => {
    const called = new AbortController();
    const { server, registrar } = await open(({ path }, response) => {
      if (path.endsWith('/register')) called.abort();
      else json(response, 200, path.endsWith('/login') ? ACCOUNT : {});
    });
    await expect(registrar.register('name', called.signal)).rejects.toThrow();
    expect(await registrar.close(SIGNAL)).toEqual([]);
    const [register, login, deactivate] = server.asked;
    const { password } = bodyOf(register ?? { body: '' });
    expect(bodyOf(login ?? { body: '' })).toEqual({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'name' },
      password,
    });
    expect(deactivate?.path).toBe('/_matrix/client/v3/account/deactivate');
    expect(bodyOf(deactivate ?? { body: '' })).toMatchObject({ auth: { password } });
  });

  it.each([
    { name: 'name', status: 403, left: [] },
    { name: 'name', status: 500, left: ['"name"'] },
    { name: '', status: 403, left: ['""'] },
  ])('leaves $left of "$name" unheard, where a login is $status', async ({ name, status, left }) => {
    const { registrar } = await open(({ path }, response) => {
      if (path.endsWith('/register')) response.destroy();
      else json(response, status, { errcode: 'M_UNKNOWN' });
    });
    await expect(registrar.register(name, SIGNAL)).rejects.toThrow('/register');
    expect(await registrar.close(SIGNAL)).toEqual(left);
    expect(await registrar.close(SIGNAL)).toEqual([]);
  });

  it('takes a failure, and a success without a token, for an account that may be there', async () => {
    const { server, registrar } = await open(({ path }, response, index) => {
      if (path.endsWith('/login')) json(response, 403, { errcode: 'M_FORBIDDEN' });
      else json(response, index === 0 ? 500 : 200, { user_id: '@a:hs.test' });
    });
    await registrar.register('a', SIGNAL);
    await registrar.register('b', SIGNAL);
    expect(await registrar.close(SIGNAL)).toEqual([]);
    expect(server.asked.map(({ path }) => path.slice('/_matrix/client'.length))).toEqual([
      '/v3/register',
      '/v3/register',
      '/v3/login',
      '/v3/login',
    ]);
  });

  it('logs in and wishes for a device', async () => {
    const { server, registrar } = await open((_asked, response) => json(response, 200, ACCOUNT));
    const account = { userId: '@a:hs.test', password: 'p', accessToken: 't' };
    expect(await registrar.login(account, '', SIGNAL)).toMatchObject({ status: 200 });
    expect(bodyOf(server.asked[0] ?? { body: '' })).toMatchObject({ password: 'p', device_id: '' });
  });

  it('makes up names that nobody has', async () => {
    const { registrar } = await open(() => undefined);
    expect(registrar.madeUpName()).toMatch(/^mx2s-check-[0-9a-f]{16}$/);
    expect(registrar.madeUpName()).not.toBe(registrar.madeUpName());
  });
});

describe('the stages of flows', () => {
  it.each(['{}', '[]', '{"flows":{}}', '{"flows":[1,{"stages":2},{"stages":[3]}]}'])(
    'are none in %s',
    (text) => {
      expect(stagesOf({ status: 401, errcode: undefined, body: parseJson(text) })).toEqual([]);
    },
  );
});
