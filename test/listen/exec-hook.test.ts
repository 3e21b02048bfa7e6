import { describe, expect, it } from 'vitest';
import { HookFailedError } from '../../src/errors.js';
import { execHook } from '../../src/listen/exec-hook.js';
import { encodeReceivedEvent, receivedEvent, type ReceivedEvent } from '../../src/todevice/received.js';
import { eventOf, NEVER, OWN_SERVER } from './kit.js';

const EVENT = receivedEvent(eventOf(1), OWN_SERVER, 7);

async function run(
  command: string,
  event: ReceivedEvent = EVENT,
  env: Readonly<Record<string, string>> = {},
): Promise<string[]> {
  const lines: string[] = [];
  const escape = (text: string): string => text.replaceAll('\u0000', '<NUL>');
  await execHook({ command, env, escape, onOutput: (line) => lines.push(line) })(event, NEVER);
  return lines;
}

describe('execHook', () => {
  it('gives the event to the command as one JSON line', async () => {
    expect(await run('cat')).toEqual([encodeReceivedEvent(EVENT)]);
    expect(await run('wc -l')).toEqual([expect.stringMatching(/^\s*1$/)]);
  });

  it('passes on what the command writes to both streams, line by line', async () => {
    expect(await run('printf "a\\nb"; printf "ä\\n" >&2')).toEqual(expect.arrayContaining(['a', 'b', 'ä']));
  });

  it('needs no reader of its input', async () => {
    const content = JSON.stringify({ long: 'x'.repeat(1_000_000) }) as ReceivedEvent['content'];
    await expect(run('exit 0', { ...EVENT, content })).resolves.toEqual([]);
  });

  it.each([
    ['exit 3', 'ended with status 3'],
    ['kill -KILL $$', 'was ended by SIGKILL'],
    ['no-such-command-of-ours', 'ended with status 127'],
  ])('fails with %s', async (command, how) => {
    const failure = await run(command).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(HookFailedError);
    expect(failure).toHaveProperty('message', expect.stringContaining(how));
  });

  it('names sender and type in the environment, made safe', async () => {
    const event = receivedEvent({ ...eventOf(1), type: 'a\u0000b' }, OWN_SERVER, 0);
    expect(await run('echo "$MX2S_SENDER $MX2S_TYPE"', event)).toEqual(['@:example.org a<NUL>b']);
  });

  it.each([
    ['absent', undefined],
    ['longer than 1 KiB', 'x'.repeat(1025)],
    ['longer than 1 KiB in bytes', 'ä'.repeat(513)],
    ['longer than 1 KiB when it is safe', '\u0000'.repeat(300)],
  ])('leaves out what is %s, also the value of an outer run', async (_what, type) => {
    const event = receivedEvent({ ...eventOf(1), type }, OWN_SERVER, 0);
    expect(await run('echo "${MX2S_TYPE-unset}"', event, { MX2S_TYPE: 'outer' })).toEqual(['unset']);
  });

  it('names what is just 1 KiB long', async () => {
    const event = receivedEvent({ ...eventOf(1), type: 'x'.repeat(1024) }, OWN_SERVER, 0);
    expect(await run('printf %s "$MX2S_TYPE" | wc -c', event)).toEqual([expect.stringMatching(/^\s*1024$/)]);
  });

  it('hands on the environment without our secrets', async () => {
    const secrets = {
      MX2S_ACCESS_TOKEN: 'secret-1',
      MX2S_OTHER_ACCESS_TOKEN: 'secret-2',
      MX2S_PASSWORD: 'secret-3',
    };
    const lines = await run('/usr/bin/env', EVENT, { ...secrets, OTHER: 'yes', MX2S_HOMESERVER: 'http://x' });
    expect(lines).toEqual(expect.arrayContaining(['OTHER=yes', 'MX2S_HOMESERVER=http://x']));
    expect(lines.join('\n')).not.toMatch(/secret-\d|MX2S_\w*(?:TOKEN|PASSWORD)/);
  });

  it('tells the command to end when the signal aborts', async () => {
    const { stop, ended } = started('trap "echo bye; exit 0" TERM; echo ready; while :; do sleep 0.01; done');
    const [lines, reason] = await ended(stop);
    expect(lines).toEqual(expect.arrayContaining(['ready', 'bye'])); // a shell may tell who was terminated
    expect(reason).toBe(stop.signal.reason);
  });

  it('kills a command that does not end, whatever holds its output open', async () => {
    const { stop, ended } = started('trap "" TERM; sleep 2 & echo ready; wait; while :; do wait; done');
    const [lines, reason] = await ended(stop);
    expect(lines).toEqual(['ready']);
    expect(reason).toBe(stop.signal.reason);
  });

  it('leaves nothing that it started behind when the signal aborts', async () => {
    const command = 'sh -c "trap \'\' TERM; sleep 60" >&- 2>&- & echo "$!"; echo ready; wait';
    const { stop, ended } = started(command);
    const [[pid]] = await ended(stop);
    await run(`while ps -o stat= -p ${pid} | grep -qv Z; do sleep 0.02; done`);
  });

  it('does not wait for what the command leaves running', async () => {
    const startedAtMs = performance.now();
    const [pid] = await run('sleep 60 & echo "$!"');
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
    await run(`kill ${pid}`);
  });

  it('cuts output that has no end, and reads on', async () => {
    const lines = await run('head -c 30000000 /dev/zero | tr "\\0" x');
    expect(lines.pop()).toBe('… output of the hook cut');
    expect(lines).toEqual(Array.from({ length: 8 }, () => 'x'.repeat(8192)));
  });

  it('has one budget for many short lines', async () => {
    const lines = await run('yes | head -n 1000000');
    expect(lines).toHaveLength(32 * 1024 + 1);
    expect(lines.at(-1)).toBe('… output of the hook cut');
  });

  it('starts nothing after the signal', async () => {
    const reason = new Error('stop');
    const hook = execHook({ command: 'exit 0', env: {}, escape: (text) => text, onOutput: () => undefined });
    await expect(hook(EVENT, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

/** Runs a command that says when it is ready, and then stops it. */
function started(command: string): {
  stop: AbortController;
  ended(stop: AbortController): Promise<[string[], unknown]>;
} {
  const stop = new AbortController();
  return {
    stop,
    ended: async () => {
      const lines: string[] = [];
      const onOutput = (line: string): void => {
        lines.push(line);
        if (line === 'ready') stop.abort(new Error('stop'));
      };
      const hook = execHook({ command, env: {}, escape: (text) => text, onOutput });
      const reason = await hook(EVENT, stop.signal).catch((error: unknown) => error);
      return [lines, reason];
    },
  };
}
