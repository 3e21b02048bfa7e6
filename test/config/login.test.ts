import { describe, expect, it } from 'vitest';
import {
  findHomeserver,
  profileByPassword,
  profileByToken,
  requirePasswordFlow,
  type LoginByPassword,
  type LoginTools,
} from '../../src/config/login.js';
import type { Profile } from '../../src/config/profiles.js';
import {
  InvalidInputError,
  MalformedResponseError,
  MatrixError,
  Mx2sError,
  NetworkError,
} from '../../src/errors.js';
import { HttpClient } from '../../src/http/client.js';
import type { HttpRequest } from '../../src/http/request.js';
import type { Transport } from '../../src/http/transport.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { TurnedClock } from '../http/turned-clock.js';

const HS = 'https://hs.example';
const SECRET = 'geheim';
const LOGIN = `POST ${HS}/_matrix/client/v3/login`;
const LOGOUT = `POST ${HS}/_matrix/client/v3/logout`;
const FLOWS = `GET ${HS}/_matrix/client/v3/login`;
const VERSIONS = `GET ${HS}/_matrix/client/versions`;
const WHOAMI = `GET ${HS}/_matrix/client/v3/account/whoami`;
const NOW_MS = 1_700_000_000_000;

/** `METHOD URL` → the body of a 200, or a status and a body. Where nothing stands nothing answers. */
type Web = Readonly<Record<string, object | readonly [status: number, body: object | string]>>;

function openWeb(web: Web): LoginTools & { asked: HttpRequest[]; notices: string[] } {
  const asked: HttpRequest[] = [];
  const notices: string[] = [];
  const transport: Transport = {
    exchange(request) {
      asked.push(request);
      const page = web[`${request.method} ${request.url}`];
      if (page === undefined) return Promise.reject(new NetworkError(request, `nobody at ${request.url}`));
      const [status, body] = Array.isArray(page) ? (page as [number, object | string]) : [200, page];
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return Promise.resolve({ status, body: text, headers: {}, url: request.url });
    },
    close: () => Promise.resolve(),
  };
  const clock = new TurnedClock(NOW_MS);
  return {
    http: new HttpClient({
      transport,
      clock,
      chance: { fraction: () => 0 },
      policy: { retries: 1, maxWaitMs: 0 },
    }),
    clock,
    signal: new AbortController().signal,
    notice: (text) => notices.push(text),
    asked,
    notices,
  };
}

describe('findHomeserver', () => {
  it('takes a URL where a homeserver answers', async () => {
    const web = openWeb({ [VERSIONS]: { versions: ['v1.15'] } });
    expect(await findHomeserver({ url: HS }, web)).toBe(HS);
  });

  it('finds it by the server name', async () => {
    const web = openWeb({
      'GET https://example.org/.well-known/matrix/client': { 'm.homeserver': { base_url: HS } },
      [VERSIONS]: { versions: ['v1.15'] },
    });
    expect(await findHomeserver({ serverName: parseServerName('example.org') }, web)).toBe(HS);
  });

  it('says why it found none, and what to do', async () => {
    const failure = findHomeserver({ serverName: parseServerName('example.org') }, openWeb({}));
    await expect(failure).rejects.toThrow(NetworkError);
    await expect(failure).rejects.toMatchObject({
      message: expect.stringContaining('no homeserver was found for example.org: nobody at') as unknown,
      hint: 'if you know its URL, give it with --homeserver',
    });
  });

  it('does not take a web site for a homeserver', async () => {
    const failure = findHomeserver({ url: HS }, openWeb({ [VERSIONS]: [404, '<html>'] }));
    await expect(failure).rejects.toThrow(MalformedResponseError);
    await expect(failure).rejects.toMatchObject({
      hint: expect.stringContaining('mx2s login hs.example') as unknown,
    });
  });

  it('passes on what a homeserver says', async () => {
    const failure = findHomeserver(
      { url: HS },
      openWeb({ [VERSIONS]: [404, { errcode: 'M_UNRECOGNIZED' }] }),
    );
    await expect(failure).rejects.toThrow(MatrixError);
  });
});

describe('requirePasswordFlow', () => {
  it('is content where a password will do', async () => {
    const web = openWeb({ [FLOWS]: { flows: [{ type: 'm.login.sso' }, { type: 'm.login.password' }] } });
    await expect(requirePasswordFlow(HS, web)).resolves.toBeUndefined();
  });

  it.each([
    [{ flows: [{ type: 'm.login.sso' }, { type: 'm.login.token' }] }, 'only m.login.sso, m.login.token'],
    [{ flows: [] }, 'none of the login types we know'],
    [[404, { errcode: 'M_UNRECOGNIZED' }], 'none of the login types we know'],
  ])('says what there is in its place: %j', async (page, offer) => {
    const failure = requirePasswordFlow(HS, openWeb({ [FLOWS]: page }));
    await expect(failure).rejects.toMatchObject({
      code: 'refused',
      message: `${HS} does not log in with a password: it offers ${offer}`,
      hint: expect.stringContaining('--access-token-file') as unknown,
    });
  });

  it('passes on a failure', async () => {
    await expect(requirePasswordFlow(HS, openWeb({ [FLOWS]: [500, ''] }))).rejects.toMatchObject({
      code: 'server_error',
    });
  });
});

const ANSWER = { user_id: '@alice:example.org', device_id: 'NEW', access_token: 'tok' };
const BY_PASSWORD: LoginByPassword = {
  homeserver: HS,
  user: 'alice',
  password: SECRET,
  deviceName: 'mx2s',
  previous: undefined,
};
const PREVIOUS: Profile = {
  homeserver: HS,
  userId: parseUserId('@alice:example.org'),
  deviceId: parseDeviceId('OLD'),
  ownDevice: true,
  accessToken: 'old',
};

describe('profileByPassword', () => {
  it('makes a profile of the answer', async () => {
    const answer = { ...ANSWER, refresh_token: 'ref', expires_in_ms: 300_000 };
    expect(await profileByPassword(BY_PASSWORD, openWeb({ [LOGIN]: answer }))).toEqual({
      homeserver: HS,
      userId: '@alice:example.org',
      deviceId: 'NEW',
      ownDevice: true,
      accessToken: 'tok',
      refreshToken: 'ref',
      expiresAtMs: NOW_MS + 300_000,
    });
  });

  it.each([
    ['a localpart at the same homeserver', 'alice', PREVIOUS, 'OLD'],
    ['the same user ID', '@alice:example.org', PREVIOUS, 'OLD'],
    [
      'the same user ID at another URL',
      '@alice:example.org',
      { ...PREVIOUS, homeserver: 'https://x.example' },
      'OLD',
    ],
    ['a localpart at another URL', 'alice', { ...PREVIOUS, homeserver: 'https://x.example' }, 'OLD'],
    ['another localpart', 'bob', PREVIOUS, undefined],
    ['another user ID', '@alice:example.com', PREVIOUS, undefined],
    ['nobody before', 'alice', undefined, undefined],
  ])('keeps the device of the same account only: %s', async (_name, user, previous, deviceId) => {
    const web = openWeb({
      [LOGIN]: { ...ANSWER, user_id: user.startsWith('@') ? user : `@${user}:example.org` },
    });
    await profileByPassword({ ...BY_PASSWORD, user, previous }, web);
    expect(JSON.parse(web.asked[0]?.body ?? '')).toHaveProperty('identifier.user', user);
    expect((JSON.parse(web.asked[0]?.body ?? '') as { device_id?: string }).device_id).toBe(deviceId);
  });

  it.each([
    ['alice', '@alice:anywhere.example'],
    ['Alice', '@alice:example.org'],
    ['@alice:example.org', '@alice:example.org'],
  ])('takes %s answered as %s', async (user, userId) => {
    const web = openWeb({ [LOGIN]: { ...ANSWER, user_id: userId } });
    expect((await profileByPassword({ ...BY_PASSWORD, user }, web)).userId).toBe(userId);
  });

  it.each([
    ['alice', '@bob:example.org'],
    ['alice', '@Alice:example.org'],
    ['@alice:example.org', '@alice:example.com'],
    ['@Alice:example.org', '@alice:example.org'],
  ])('refuses %s answered as %s, and ends that session', async (user, userId) => {
    const web = openWeb({ [LOGIN]: { ...ANSWER, user_id: userId }, [LOGOUT]: {} });
    await expect(profileByPassword({ ...BY_PASSWORD, user }, web)).rejects.toThrow(MalformedResponseError);
    expect(web.asked.at(-1)).toMatchObject({ url: `${HS}/_matrix/client/v3/logout`, accessToken: 'tok' });
  });

  it('refuses it also where the session cannot be ended', async () => {
    const web = openWeb({ [LOGIN]: { ...ANSWER, user_id: '@bob:example.org' } });
    await expect(profileByPassword(BY_PASSWORD, web)).rejects.toThrow(
      'answered for @bob:example.org, not for alice',
    );
  });

  it.each([
    ['a token with a line end', { access_token: `${SECRET}\r\nX-Y: z` }],
    ['a token with a space', { access_token: `${SECRET} ` }],
    ['a device that is all devices', { device_id: '*' }],
  ])('refuses %s, and does not show it', async (_name, change) => {
    const web = openWeb({ [LOGIN]: { ...ANSWER, ...change } });
    const error: unknown = await profileByPassword(BY_PASSWORD, web).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(MalformedResponseError);
    expect((error as Error).message).not.toContain(SECRET);
  });

  it('passes on that the password is wrong, without it', async () => {
    const web = openWeb({ [LOGIN]: [403, { errcode: 'M_FORBIDDEN', error: `no user with ${SECRET}` }] });
    const error: unknown = await profileByPassword(BY_PASSWORD, web).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'refused', errcode: 'M_FORBIDDEN' });
    expect((error as Error).message).not.toContain(SECRET);
  });
});

describe('the URL that a homeserver gives for itself', () => {
  const THERE = 'https://matrix.example.org/base';
  const whoamiThere = `GET ${THERE}/_matrix/client/v3/account/whoami`;
  const there: Web = {
    [`GET ${THERE}/_matrix/client/versions`]: { versions: ['v1.15'] },
    [whoamiThere]: { user_id: '@alice:example.org', device_id: 'NEW' },
  };

  async function homeserverAfter(baseUrl: string, web: Web, homeserver = HS): Promise<[string, string[]]> {
    const answer = { ...ANSWER, well_known: { 'm.homeserver': { base_url: baseUrl } } };
    const tools = openWeb({ [`POST ${homeserver}/_matrix/client/v3/login`]: answer, ...web });
    return [(await profileByPassword({ ...BY_PASSWORD, homeserver }, tools)).homeserver, tools.notices];
  }

  it('replaces the one used, where it knows the session', async () => {
    expect(await homeserverAfter(`${THERE}/`, there)).toEqual([
      THERE,
      [`the homeserver is reached at ${THERE} from now on, as it asks`],
    ]);
  });

  it.each([
    ['nothing answers', {}],
    ['what answers is no homeserver', { ...there, [`GET ${THERE}/_matrix/client/versions`]: {} }],
    ['it does not know the token', { ...there, [whoamiThere]: [401, { errcode: 'M_UNKNOWN_TOKEN' }] }],
  ])('is left aside with a notice where %s', async (_name, web: Web) => {
    const [homeserver, notices] = await homeserverAfter(THERE, web);
    expect(homeserver).toBe(HS);
    expect(notices).toEqual([expect.stringContaining('another URL for itself, which is not used')]);
  });

  it.each([
    ['another user', { user_id: '@bob:example.org', device_id: 'NEW' }],
    ['another device', { user_id: '@alice:example.org', device_id: 'OTHER' }],
  ])('is left aside where the token stands for %s', async (_name, identity) => {
    expect((await homeserverAfter(THERE, { ...there, [whoamiThere]: identity }))[0]).toBe(HS);
  });

  it.each([
    'http://matrix.example.org',
    'ftp://matrix.example.org',
    'https://a:b@matrix.example.org',
    'nonsense',
  ])('never gets the token where it is no https URL: %s', async (baseUrl) => {
    expect((await homeserverAfter(baseUrl, {}))[0]).toBe(HS);
  });

  it('does not lead from another machine to this one', async () => {
    expect(await homeserverAfter('http://127.0.0.1:8008', {})).toEqual([HS, []]);
  });

  it('may lead from this machine to this one, over plain http', async () => {
    const web: Web = {
      'GET http://localhost:8009/_matrix/client/versions': { versions: ['v1.15'] },
      'GET http://localhost:8009/_matrix/client/v3/account/whoami': {
        user_id: '@alice:example.org',
        device_id: 'NEW',
      },
    };
    const [homeserver] = await homeserverAfter('http://localhost:8009', web, 'http://127.0.0.1:8008');
    expect(homeserver).toBe('http://localhost:8009');
  });
});

describe('profileByToken', () => {
  const identity = { user_id: '@alice:example.org', device_id: 'THEIRS' };
  const byToken = { homeserver: HS, user: undefined, accessToken: SECRET };

  it('asks whom the token stands for', async () => {
    const web = openWeb({ [WHOAMI]: identity });
    expect(await profileByToken(byToken, web)).toEqual({
      homeserver: HS,
      userId: '@alice:example.org',
      deviceId: 'THEIRS',
      ownDevice: false,
      accessToken: SECRET,
    });
  });

  it('refuses a token of another user than said', async () => {
    const failure = profileByToken({ ...byToken, user: 'bob' }, openWeb({ [WHOAMI]: identity }));
    await expect(failure).rejects.toThrow(MalformedResponseError);
  });

  it('refuses a token without a device', async () => {
    const failure = profileByToken(byToken, openWeb({ [WHOAMI]: { user_id: '@alice:example.org' } }));
    await expect(failure).rejects.toThrow(InvalidInputError);
  });

  it('passes on that the token is refused', async () => {
    const failure = profileByToken(byToken, openWeb({ [WHOAMI]: [401, { errcode: 'M_UNKNOWN_TOKEN' }] }));
    await expect(failure).rejects.toMatchObject({ code: 'token_refused' });
    await expect(failure).rejects.toThrow(Mx2sError);
  });

  it('sends no token with odd characters', async () => {
    const web = openWeb({ [WHOAMI]: identity });
    await expect(profileByToken({ ...byToken, accessToken: 'a b' }, web)).rejects.toThrow(InvalidInputError);
    expect(web.asked).toEqual([]);
  });
});
