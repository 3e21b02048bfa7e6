import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startLoopbackServer } from '../http/loopback-server.js';
import { numbersIn, openDeviceKit } from './device-kit.js';

describe('--exec', () => {
  it('gets each event before it is printed; what it writes goes to stderr', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const finished = await kit.run(['listen', '--drain', '--exec', 'cat; echo "$MX2S_SENDER $MX2S_TYPE"']);
    expect(numbersIn(finished)).toEqual([1, 2]);
    const told = `${kit.serverUser} org.example.a`;
    const [first = '', second = ''] = finished.stdout.split('\n');
    expect(finished.stderr).toBe(`${first}\n${told}\n${second}\n${told}\n`);
  });

  it('that fails for good is exit 1, and the event comes again', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const command = 'grep -v \'"n":2\'';
    const failed = await kit.run(['listen', '--drain', '--hook-retries', '0', '--exec', command]);
    expect([failed.code, numbersIn(failed)]).toEqual([1, [1]]);
    expect(failed.stderr).toContain('"hook_failed"');
    const skipped = await kit.run([
      ...['listen', '--drain', '--hook-retries', '0', '--on-hook-failure', 'skip'],
      ...['--exec', command],
    ]);
    expect([skipped.code, numbersIn(skipped)]).toEqual([0, []]);
    expect(skipped.stderr).toMatch(/^warning: .*status 1.*\n1 event passed over: their hook failed\n$/);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([]);
  });

  it('sees no secret of ours', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const env = { ...kit.env, MX2S_PASSWORD: 'geheim-1', MX2S_OTHER_ACCESS_TOKEN: 'geheim-2' };
    const { stderr } = await kit.run(['listen', '--drain', '--exec', 'env'], { env });
    expect(stderr).toContain('MX2S_TYPE=org.example.a');
    expect(stderr).not.toContain('geheim');
    expect(stderr).not.toContain(kit.env['MX2S_ACCESS_TOKEN']);
  });

  it('ends within two seconds of a signal, and its event comes again', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const running = kit.start(['listen', '--exec', 'echo working; sleep 30']);
    await running.stderr.until(/working\n/);
    const startedAtMs = performance.now();
    running.signal('SIGTERM');
    expect((await running.done).code).toBe(0);
    expect(performance.now() - startedAtMs).toBeLessThan(2000);
    expect(numbersIn(await kit.run(['listen', '--drain']))).toEqual([1]);
  });
});

describe('--forward-to', () => {
  it('posts each event, with the headers given', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    const service = await startLoopbackServer((_asked, response) => response.writeHead(204).end());
    const file = join(kit.folder, 'headers');
    await writeFile(file, 'Authorization: Bearer geheim-geheim\n');
    const finished = await kit.run([
      ...['listen', '--drain', '--trace', '--forward-to', `${service.url}/hook`],
      ...['-H', 'X-Source: test', '-H', `@${file}`],
    ]);
    expect(numbersIn(finished)).toEqual([1]);
    const [asked] = service.asked;
    expect(asked).toMatchObject({ method: 'POST', path: '/hook' });
    expect(`${asked?.body ?? ''}\n`).toBe(finished.stdout);
    expect(asked?.headers).toMatchObject({
      'content-type': 'application/json',
      'x-source': 'test',
      authorization: 'Bearer geheim-geheim',
    });
    expect(finished.stderr).toContain('POST');
    expect(finished.stderr).not.toContain('geheim');
    expect(JSON.stringify(service.asked)).not.toContain(kit.env['MX2S_ACCESS_TOKEN']);
  });

  it('is told by the status that an event was taken, however long the answer is', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const service = await startLoopbackServer((_asked, response) =>
      response.writeHead(200).end('x'.repeat(2 * 1024 * 1024)),
    );
    const finished = await kit.run(['listen', '--drain', '--forward-to', service.url]);
    expect([finished.code, numbersIn(finished)]).toEqual([0, [1, 2]]);
    expect(service.asked).toHaveLength(2);
  });

  it('tries again what may pass, and gives up on a refusal', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1, 2);
    const service = await startLoopbackServer((_asked, response, index) =>
      response.writeHead([503, 200, 404][index] ?? 200).end(),
    );
    const failed = await kit.run(['listen', '--drain', '--forward-to', service.url]);
    expect([failed.code, numbersIn(failed)]).toEqual([1, [1]]);
    expect(failed.stderr).toContain('answered 404');
    expect(service.asked).toHaveLength(3);
  });
});
