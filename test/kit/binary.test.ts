import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runBinary, startBinary } from './binary.js';
import { makeTempDir, type TempDir } from './temp-dir.js';

let home: TempDir;
beforeEach(async () => (home = await makeTempDir()));
afterEach(() => home.remove());

describe('the real program', () => {
  it('gives its output and exit status', async () => {
    expect(await runBinary(['--version'], { home: home.path })).toEqual({
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
      stderr: '',
      code: 0,
      signal: null,
    });
  });

  it('can be waited for line by line', async () => {
    const running = startBinary(['help', 'exit-codes'], { home: home.path });
    expect(await running.lineOf('stdout', /^  130/)).toContain('SIGINT');
    await running.stop();
    await expect(running.lineOf('stdout', /no such line/)).rejects.toThrow('no line matches');
  });

  it('is ended by stop', async () => {
    const running = startBinary(['validate-id', '-'], { home: home.path, stdin: 'open' });
    await running.stop();
    expect(await running.result).toMatchObject({ code: null, signal: 'SIGKILL' });
  });
});
