import { describe, expect, it } from 'vitest';
import { openDeviceKit } from './device-kit.js';

describe('the output', () => {
  it('is one JSON object a line, the content as it came', async () => {
    const kit = await openDeviceKit();
    await kit.echo({ b: 1, a: [null] });
    const { code, stdout, stderr } = await kit.run(['listen', '--drain']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.replace(/"received_ts":\d{13}\}/, '"received_ts":0}')).toBe(
      `{"v":1,"sender":"${kit.serverUser}","type":"org.example.a","content":{"b":1,"a":[null]},` +
        '"server_user":true,"own_server":true,"received_ts":0}\n',
    );
  });

  it('is a line of text for people, cut to the terminal', async () => {
    const kit = await openDeviceKit();
    await kit.echo({ text: 'x'.repeat(500) });
    const { stdout } = await kit.run(['listen', '--drain', '--color', 'never'], {
      terminal: { stdout: true },
      columns: 70,
    });
    expect(stdout).toMatch(/^\d\d:\d\d:\d\d {2}@:127\.0\.0\.1:\d+ {2}org\.example\.a {2}\{"text":"x+…\n$/);
    expect(stdout).toHaveLength(71);
  });

  it('is the content alone with --raw, escaped on a terminal', async () => {
    const kit = await openDeviceKit();
    await kit.echo({ a: '\u202e' });
    expect((await kit.run(['listen', '--peek', '--raw'])).stdout).toBe('{"a":"\u202e"}\n');
    expect((await kit.run(['listen', '--peek', '--raw', '--text'])).stdout).toBe('{"a":"\u202e"}\n');
    const terminal = { terminal: { stdout: true } };
    expect((await kit.run(['listen', '--peek', '--raw'], terminal)).stdout).toBe('{"a":"\\u202e"}\n');
    expect((await kit.run(['listen', '--peek', '--json'], terminal)).stdout).toContain('"a":"\\u202e"');
  });

  it('never says that an event is from the server (R-5)', async () => {
    const kit = await openDeviceKit();
    await kit.fill(1);
    await kit.fromBob(2);
    const { stdout, stderr } = await kit.run(['listen', '--drain', '--text', '--verbose']);
    expect(stdout + stderr).not.toMatch(/from the (home)?server/);
  });
});
