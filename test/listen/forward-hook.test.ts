import { describe, expect, it } from 'vitest';
import { HookFailedError, InvalidInputError, NetworkError } from '../../src/errors.js';
import type { HttpRequest } from '../../src/http/request.js';
import { forwardHook, parseForwardUrl } from '../../src/listen/forward-hook.js';
import { encodeReceivedEvent, receivedEvent } from '../../src/todevice/received.js';
import { eventOf, NEVER, OWN_SERVER } from './kit.js';

const EVENT = receivedEvent(eventOf(1), OWN_SERVER, 7);
const URL = 'http://127.0.0.1/hook?key=hidden';

function answering(answer: number | Error): { requests: HttpRequest[]; take(): Promise<void> } {
  const requests: HttpRequest[] = [];
  const hook = forwardHook({
    url: URL,
    headers: { 'x-source': 'test' },
    send: (request) => {
      requests.push(request);
      return typeof answer === 'number' ? Promise.resolve({ status: answer }) : Promise.reject(answer);
    },
  });
  return { requests, take: () => hook(EVENT, NEVER) };
}

describe('forwardHook', () => {
  it.each([200, 201, 204])('posts the event, and %i says that it was taken', async (status) => {
    const { requests, take } = answering(status);
    await take();
    expect(requests).toMatchObject([
      { method: 'POST', url: URL, headers: { 'x-source': 'test' }, body: encodeReceivedEvent(EVENT) },
    ]);
  });

  it.each([
    [404, 'answered 404'],
    [500, 'answered 500'],
    [302, 'answered 302'],
    [new NetworkError({ method: 'POST', url: URL }, 'connection refused'), 'connection refused'],
  ])('fails with %s, and hides the query of the URL', async (answer, how) => {
    const failure = await answering(answer)
      .take()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HookFailedError);
    expect(failure).toHaveProperty('message', expect.stringContaining(how));
    expect(failure).toHaveProperty('message', expect.not.stringContaining('hidden'));
  });

  it('passes on a bug as it is', async () => {
    const bug = new TypeError('bug');
    await expect(answering(bug).take()).rejects.toBe(bug);
  });

  it('passes on the reason of the signal', async () => {
    const stop = new AbortController();
    const hook = forwardHook({
      url: URL,
      headers: {},
      send: () => {
        stop.abort(new Error('stop'));
        return Promise.reject(new NetworkError({ method: 'POST', url: URL }, 'cut off'));
      },
    });
    await expect(hook(EVENT, stop.signal)).rejects.toThrow('stop');
  });
});

describe('parseForwardUrl', () => {
  it.each(['http://127.0.0.1:9/a', 'https://example.org/hook?x=1'])('takes %s', (text) => {
    expect(parseForwardUrl(text)).toBe(text);
  });

  it.each(['example.org', 'ftp://example.org/', '', 'https://'])('refuses %j', (text) => {
    expect(() => parseForwardUrl(text)).toThrow(InvalidInputError);
  });

  it.each(['user:geheim@example.org', 'htp://user:geheim/x@example.org'])(
    'refuses %j without the password',
    (text) => {
      expect(() => parseForwardUrl(text)).toThrow(/^--forward-to: (?!.*geheim)/);
    },
  );

  it('refuses user information, and does not repeat it', () => {
    expect(() => parseForwardUrl('https://user:geheim@example.org/')).toThrow(
      expect.objectContaining({
        message: expect.not.stringContaining('geheim') as unknown,
        hint: expect.stringContaining('-H @FILE') as unknown,
      }),
    );
  });
});
