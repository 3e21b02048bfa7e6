import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.js';
import { parseServerName } from '../../src/ids/server-name.js';
import { parseUserId } from '../../src/ids/user-id.js';
import { createPing } from '../../src/subsystems/ping.js';
import { compactJson } from '../../src/wire/json.js';

async function ping(content: string) {
  const handler = createPing(parseServerName('hs.test'), { ...systemClock, now: () => 1_700_000_000_000 });
  const sender = parseUserId('@a:hs.test');
  const message = {
    sender,
    type: 'mx2s.ping',
    content: compactJson(content),
    deviceId: undefined,
    via: 'client',
  } as const;
  return handler(message, new AbortController().signal);
}

it('answers with the nonce, the time and its name', async () => {
  expect(await ping('{"nonce":"é\\u0000","more":1}')).toEqual({
    type: 'mx2s.pong',
    content: '{"nonce":"é\\u0000","received_ts":1700000000000,"server":"hs.test"}',
  });
  await expect(ping(`{"nonce":"${'n'.repeat(255)}"}`)).resolves.toBeDefined();
});

it.each(['{}', '{"nonce":1}', `{"nonce":"${'n'.repeat(256)}"}`])('fails for %s', async (content) => {
  await expect(ping(content)).rejects.toThrow('content.nonce');
});
