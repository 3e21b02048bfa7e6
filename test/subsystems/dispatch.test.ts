import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { createDispatcher, type DispatchOptions } from '../../src/subsystems/dispatch.js';
import type { Handler, ServerMessage } from '../../src/subsystems/handler.js';
import { compactJson } from '../../src/wire/json.js';

const MESSAGE: ServerMessage = {
  sender: parseUserId('@a:hs.test'),
  type: 't',
  content: compactJson('{}'),
  deviceId: undefined,
  via: 'client',
};
const ANSWER = { type: 't', content: compactJson('{"ok":1}') };
const hang: Handler = () => new Promise(() => undefined);

function dispatcher(handler: Handler | undefined, options: Partial<DispatchOptions> = {}) {
  return createDispatcher({ handlerFor: () => handler, clock: systemClock, ...options });
}

describe('dispatch', () => {
  it.each([
    ['none', undefined, []],
    ['one', ANSWER, [ANSWER]],
    ['several', [ANSWER, ANSWER], [ANSWER, ANSWER]],
  ])('gives the answers of the handler: %s', async (_count, given, answers) => {
    expect(await dispatcher(async () => given).dispatch(MESSAGE)).toEqual({ outcome: 'handled', answers });
  });

  it('R-32: calls the handler before it returns', () => {
    let called = false;
    const { dispatch } = dispatcher(async () => {
      called = true;
      return undefined;
    });
    void dispatch(MESSAGE);
    expect(called).toBe(true);
  });

  it('R-19: drops what nobody handles', async () => {
    expect(await dispatcher(undefined).dispatch(MESSAGE)).toEqual({ outcome: 'dropped' });
  });

  it.each<[string, Handler]>([
    ['rejects', () => Promise.reject(new Error('broken'))],
    [
      'throws at once',
      () => {
        throw new Error('broken');
      },
    ],
  ])('R-33: survives a handler that %s', async (_how, handler) => {
    expect(await dispatcher(handler).dispatch(MESSAGE)).toEqual({ outcome: 'failed', reason: 'broken' });
  });

  it('R-33: gives up a handler that hangs, tells it so, and has room again', async () => {
    const signals: AbortSignal[] = [];
    const { dispatch } = dispatcher(
      (_message, signal) => {
        signals.push(signal);
        return new Promise(() => undefined);
      },
      { timeoutMs: 5, concurrency: 1 },
    );
    const failed = { outcome: 'failed', reason: 'no answer within 5 ms' };
    expect(await dispatch(MESSAGE)).toEqual(failed);
    expect(await dispatch(MESSAGE)).toEqual(failed);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('R-33: runs so many at a time, and drops the rest', async () => {
    const { dispatch, close } = dispatcher(hang, { concurrency: 2 });
    const running = [dispatch(MESSAGE), dispatch(MESSAGE)];
    expect(await dispatch(MESSAGE)).toEqual({ outcome: 'overflow' });
    await close();
    expect(await Promise.all(running)).toEqual(
      Array(2).fill({ outcome: 'failed', reason: 'the server stops' }),
    );
  });

  it('R-33: takes no room from others for a handler that hangs', async () => {
    const handlers: Record<string, Handler> = { hangs: hang, answers: async () => ANSWER };
    const { dispatch, close } = createDispatcher({
      handlerFor: (type) => handlers[type],
      clock: systemClock,
      concurrency: 1,
    });
    const hanging = dispatch({ ...MESSAGE, type: 'hangs' });
    expect(await dispatch({ ...MESSAGE, type: 'hangs' })).toEqual({ outcome: 'overflow' });
    expect(await dispatch({ ...MESSAGE, type: 'answers' })).toMatchObject({ outcome: 'handled' });
    expect(await dispatch({ ...MESSAGE, type: 'answers' })).toMatchObject({ outcome: 'handled' });
    await close();
    await hanging;
  });

  it('runs 16 at a time unless told otherwise', async () => {
    const { dispatch, close } = dispatcher(hang);
    const outcomes: string[] = [];
    const running = Array.from({ length: 17 }, async () => outcomes.push((await dispatch(MESSAGE)).outcome));
    await Promise.race(running);
    expect(outcomes).toEqual(['overflow']);
    await close();
  });

  it('takes nothing once it is closed', async () => {
    const { dispatch, close } = dispatcher(async () => ANSWER);
    await close();
    expect(await dispatch(MESSAGE)).toEqual({ outcome: 'overflow' });
  });
});
