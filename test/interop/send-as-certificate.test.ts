/** The certificate that `mx2s send --as` makes for itself: enough where nobody checks it, and explained where somebody does. */
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { runBinary } from '../kit/binary.js';
import { objectsOf } from './kit/account.js';
import { receive } from './kit/matrix.js';
import { freePorts } from './kit/ports.js';
import { INSECURE, ServeHost } from './kit/serve.js';
import { newSession } from './kit/synapse.js';

const found = inject('synapse');

describe('mx2s send --as with a certificate that nobody has signed', () => {
  let host: ServeHost;
  let authority: string;

  beforeEach(async () => {
    host = await ServeHost.open();
    authority = `127.0.0.1:${String((await freePorts())[0])}`;
    expect(await mx2s('keygen', 'signing.key')).toMatchObject({ code: 0 });
  });
  afterEach(() => host.close());

  const mx2s = (...args: readonly string[]) => runBinary(args, { home: host.folder });
  const speakTo = (userId: string) =>
    mx2s(
      ...['send', userId, '--device', '*', '-t', 'org.example.x', '-d', '{"n":1}', ...INSECURE],
      ...['--as', `@:${authority}`, '--signing-key', 'signing.key', '--listen', authority],
    );

  it('reaches a user of a server that checks none', async () => {
    const serve = await host.start(...INSECURE);
    expect(await speakTo(serve.alice.userId)).toMatchObject({ code: 0 });
    expect(await receive(serve.alice, 1)).toEqual([
      { sender: `@:${authority}`, type: 'org.example.x', content: { n: 1 } },
    ]);
  });

  it.runIf(!('missing' in found))('is not believed by Synapse, and says why', async () => {
    if ('missing' in found) throw new Error(found.missing);
    const { userId } = await newSession(found);
    const { code, stdout, stderr } = await speakTo(userId);
    expect([code, stdout]).toEqual([1, '']);
    const [notice = '', ...errors] = stderr.split('\n');
    expect(notice).toMatch(/is published at 127\.0\.0\.1:\d+$/);
    expect(objectsOf(errors.join('\n'))).toMatchObject([
      { error: { errcode: 'M_UNAUTHORIZED', hint: expect.stringContaining('see --tls-cert') as string } },
    ]);
  });
});
