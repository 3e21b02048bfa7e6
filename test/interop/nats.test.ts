/** `nats://` handlers against a real NATS server: the way of a deployment's own services to the server's messages. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { headers } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, inject, it } from 'vitest';
import { objectsOf } from './kit/account.js';
import { makeNatsAccounts } from './kit/nats-accounts.js';
import { startNatsServer, startService } from './kit/nats.js';
import { ServeHost, type Serve } from './kit/serve.js';

const program = inject('nats');

describe.runIf(!('missing' in program))('serve and a NATS server', () => {
  let host: ServeHost;
  beforeEach(async () => {
    host = await ServeHost.open();
  });
  afterEach(() => host.close());

  /** Sends a message to the server as alice, and waits for the answer. */
  async function ask(serve: Serve, type: string, content: string) {
    const { code, stdout } = await serve.run(['request', serve.serverUser, '-t', type, '-d', content]);
    expect(code).toBe(0);
    return stdout;
  }

  /** Sends a message that is not answered, and gives what the event log says of it. */
  async function outcomeOf(serve: Serve, type: string, content = '{}') {
    const { code } = await serve.run(['send', serve.serverUser, '-t', type, '-d', content]);
    expect(code).toBe(0);
    return (await serve.logged({ direction: 'in', type }))['outcome'];
  }

  it('takes the answer of a service to the sender, to the last digit', async () => {
    const nats = await startNatsServer(program);
    const received: string[] = [];
    await startService(nats, 'matrix.question', (message) => {
      received.push(message.string());
      message.respond('{"type":"org.example.answer","content":{"n":123456789012345678901}}');
    });
    const serve = await host.start('--on', `org.example.*=nats://${nats.address}/matrix.question`);

    const answer = await ask(serve, 'org.example.question', '{"n":7}');
    expect(objectsOf(answer)).toMatchObject([
      { sender: serve.serverUser, type: 'org.example.answer', own_server: true },
    ]);
    expect(answer).toContain('"content":{"n":123456789012345678901}');
    const { userId, deviceId } = serve.alice;
    expect(received.map((text) => JSON.parse(text) as unknown)).toEqual([
      { sender: userId, type: 'org.example.question', content: { n: 7 }, device_id: deviceId, via: 'client' },
    ]);
  });

  it('has services that answer nothing, that fail, and that are not there', async () => {
    const nats = await startNatsServer(program);
    await startService(nats, 'quiet', (message) => void message.respond());
    await startService(nats, 'broken', (message) => {
      const fault = headers();
      fault.set('Nats-Service-Error-Code', '500');
      fault.set('Nats-Service-Error', 'out of order');
      message.respond('', { headers: fault });
    });
    const rules = ['quiet', 'broken', 'absent'].flatMap((subject) => [
      '--on',
      `org.example.${subject}=nats://${nats.address}/${subject}`,
    ]);
    const serve = await host.start(...rules);
    expect(await outcomeOf(serve, 'org.example.quiet')).toBe('handled');
    expect(await outcomeOf(serve, 'org.example.broken')).toBe('failed');
    expect(await serve.said(/handler of org\.example\.broken failed/)).toContain('out of order');
    expect(await outcomeOf(serve, 'org.example.absent')).toBe('failed');
    expect(await serve.said(/handler of org\.example\.absent failed/)).toContain('no responders');
  });

  it('R-33: fails at once while NATS is away, keeps others going, and works again once it is back', async () => {
    const nats = await startNatsServer(program);
    const answer = '{"content":{"from":"service"}}';
    const service = () => startService(nats, 'a', (message) => void message.respond(answer));
    await service();
    const serve = await host.start(
      ...['--on', `org.example.nats*=nats://${nats.address}/a`, '--on', 'org.example.echo=echo'],
    );
    expect(await ask(serve, 'org.example.nats', '{}')).toContain('"from":"service"');

    await nats.kill();
    expect(await outcomeOf(serve, 'org.example.nats.away')).toBe('failed');
    expect(await serve.said(/org\.example\.nats\.away failed/)).toContain(`NATS at ${nats.address}`);
    expect(await ask(serve, 'org.example.echo', '{"n":1}')).toContain('"n":1');

    await nats.restart();
    await service();
    expect(await ask(serve, 'org.example.nats', '{}')).toContain('"from":"service"');
  });

  it('ends while a service keeps it waiting', async () => {
    const nats = await startNatsServer(program);
    const asked = new Promise<void>(
      (resolve) => void startService(nats, 'slow', () => resolve()).catch(resolve),
    );
    const serve = await host.start('--on', `org.example.*=nats://${nats.address}/slow`);
    await serve.run(['send', serve.serverUser, '-t', 'org.example.slow']);
    await asked;
    expect(await serve.end()).toMatchObject([{ type: 'org.example.slow', outcome: 'failed' }]);
  });

  describe('that lets nobody in without credentials', () => {
    it('is answered with those of --nats-creds, which show nowhere', async () => {
      const { configuration, credentials, seed } = makeNatsAccounts();
      const nats = await startNatsServer(program, configuration);
      await writeFile(join(host.folder, 'user.creds'), credentials);
      await startService(nats, 'a', (message) => void message.respond('{"content":{"n":1}}'), {
        credentials,
      });
      const serve = await host.start(
        ...['--on', `org.example.*=nats://${nats.address}/a`, '--nats-creds', 'user.creds', '--verbose'],
      );
      const answer = await ask(serve, 'org.example.q', '{}');
      expect(answer).toContain('"n":1');
      expect(answer + JSON.stringify(await serve.end())).not.toContain(seed);
    });

    it('is out of reach without them', async () => {
      const nats = await startNatsServer(program, makeNatsAccounts().configuration);
      const serve = await host.start('--on', `org.example.*=nats://${nats.address}/a`);
      expect(await outcomeOf(serve, 'org.example.q')).toBe('failed');
      expect(await serve.said(/handler of org\.example\.q failed/)).toMatch(/authorization/i);
    });
  });
});
