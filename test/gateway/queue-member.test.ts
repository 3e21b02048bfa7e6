import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { createMetrics } from '../../src/gateway/metrics.js';
import { createQueueMember } from '../../src/gateway/queue-member.js';
import { parseServerName } from '../../src/ids/server-name.js';
import type { LogEntry } from '../../src/server/log-entry.js';
import { createDispatcher } from '../../src/subsystems/dispatch.js';
import { echo } from '../../src/subsystems/echo.js';
import type { Handler } from '../../src/subsystems/handler.js';
import { MESSAGE, MESSAGE_LINE } from '../subsystems/message.js';

describe('a member of a queue group', () => {
  it('gives the answers of the handler, and says what it did', async () => {
    const { member, metrics, log } = openStage(echo);
    expect(await member(MESSAGE_LINE)).toEqual({
      text: `{"type":"org.example.x","content":${MESSAGE.content}}`,
    });
    expect(metrics.queue.events).toMatchObject({ handled: 1, failed: 0 });
    expect(log).toEqual([
      {
        direction: 'in',
        sender: '@a:hs.test',
        to: '@:hs.test',
        device: '',
        type: 'org.example.x',
        via: 'client',
        outcome: 'handled',
        content: MESSAGE.content,
      },
    ]);
  });

  it('gives no text where the handler answers nothing', async () => {
    const { member } = openStage(async () => undefined);
    expect(await member(MESSAGE_LINE)).toEqual({ text: '' });
  });

  it('says why a handler failed, so that another member is asked', async () => {
    const { member, metrics, log, told } = openStage(() => Promise.reject(new Error('no luck')));
    expect(await member(MESSAGE_LINE)).toEqual({ text: '', fault: 'no luck' });
    expect(metrics.queue.events.failed).toBe(1);
    expect(log).toMatchObject([{ outcome: 'failed', content: undefined }]);
    expect(told).toEqual(['org.example.x: no luck']);
  });

  it('says so when it has no handler, and keeps the content to itself', async () => {
    const { member, metrics, log } = openStage(undefined);
    expect(await member(MESSAGE_LINE)).toEqual({ text: '', fault: 'no handler takes org.example.x here' });
    expect(metrics.queue.events.dropped).toBe(1);
    expect(log).toMatchObject([{ outcome: 'dropped', content: undefined }]);
  });

  it('refuses what is no message', async () => {
    const { member, metrics, log } = openStage(echo);
    expect(await member('{}')).toMatchObject({ fault: 'the message has no sender or no type' });
    expect(metrics.queue.events.malformed).toBe(1);
    expect(log).toEqual([]);
  });

  it('lets messages wait, in order, and drops none', async () => {
    const begun: string[] = [];
    const doors: (() => void)[] = [];
    const { member } = openStage(async ({ type }) => {
      begun.push(type);
      await new Promise<void>((resolve) => doors.push(resolve));
      return undefined;
    }, 2);
    const replies = ['1', '2', '3', '4'].map((type) => member(MESSAGE_LINE.replace('org.example.x', type)));
    expect(begun).toEqual(['1', '2']);
    doors.shift()?.();
    await replies[0];
    doors.shift()?.();
    await replies[1];
    expect(begun).toEqual(['1', '2', '3', '4']);
    for (const open of doors) open();
    expect(await Promise.all(replies)).toEqual(Array(4).fill({ text: '' }));
  });

  it('takes nothing when it stops', async () => {
    const { member, dispatcher } = openStage(echo);
    await dispatcher.close();
    expect(await member(MESSAGE_LINE)).toEqual({ text: '', fault: 'it stops' });
  });
});

function openStage(handler: Handler | undefined, concurrency = 16) {
  const metrics = createMetrics(false);
  const log: LogEntry[] = [];
  const told: string[] = [];
  const dispatcher = createDispatcher({ handlerFor: () => handler, clock: systemClock, concurrency });
  const member = createQueueMember({
    serverName: parseServerName('hs.test'),
    dispatcher,
    concurrency,
    metrics,
    onEvent: (entry) => log.push(entry),
    onFailure: (type, reason) => told.push(`${type}: ${reason}`),
  });
  return { member, dispatcher, metrics, log, told };
}
