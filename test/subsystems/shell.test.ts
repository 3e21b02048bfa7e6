import { expect, it } from 'vitest';
import { runShell } from '../../src/subsystems/shell.js';

const ENV = { PATH: process.env['PATH'] };
const never = new AbortController().signal;

function job(command: string, input = '', maxOutputBytes = 1000) {
  return { command, input, env: ENV, maxOutputBytes };
}

it('gives what a command wrote, and how it ended', async () => {
  expect(await runShell(job('cat; echo said >&2; exit 3', 'heard'), never)).toEqual({
    status: 3,
    signal: undefined,
    stdout: 'heard',
    stderr: 'said\n',
  });
  expect(await runShell(job('kill -KILL $$'), never)).toMatchObject({ status: undefined, signal: 'SIGKILL' });
});

it('has no environment but the one given', async () => {
  const { stdout } = await runShell({ ...job('echo "$GIVEN:$HOME"'), env: { ...ENV, GIVEN: 'yes' } }, never);
  expect(stdout).toBe('yes:\n');
});

it('survives a command that reads nothing of a long input', async () => {
  expect(await runShell(job('true', 'x'.repeat(1_000_000)), never)).toMatchObject({ status: 0 });
});

it.each(['1', '2'])('ends a command that writes too much to file descriptor %s', async (descriptor) => {
  await expect(runShell(job(`yes >&${descriptor}`), never)).rejects.toThrow('it wrote more than 1000 bytes');
});

it('kills the whole process group when the signal aborts', async () => {
  const abort = new AbortController();
  // all of them hold stdout open, and the result comes only when nobody does
  const running = runShell(job(`(trap '' TERM INT; sleep 300) & sleep 300`), abort.signal);
  abort.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
});

it('starts nothing when the signal has aborted already', async () => {
  await expect(runShell(job('true'), AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
});
