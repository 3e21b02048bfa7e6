import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InterruptedError, InvalidInputError } from '../../src/errors.js';
import { openPrompter, type Prompter } from '../../src/ui/prompt.js';
import { openInput, openStreams } from '../../src/ui/streams.js';
import { Collector, PLAIN_STREAMS } from '../kit/run-cli.js';

/** A keyboard that notes when it is switched to single keys and back. */
class Keyboard extends PassThrough {
  readonly isTTY = true;
  readonly modes: boolean[] = [];

  setRawMode(on: boolean): this {
    this.modes.push(on);
    return this;
  }
}

function open(): { prompter: Prompter; keyboard: Keyboard; screen: Collector; interrupt: AbortController } {
  const keyboard = new Keyboard();
  const screen = new Collector(true);
  const interrupt = new AbortController();
  const { talk } = openStreams({ stdout: new Collector(true), stderr: screen }, PLAIN_STREAMS);
  const stdin = openInput(keyboard, interrupt.signal);
  return { prompter: openPrompter(stdin, talk, interrupt.signal), keyboard, screen, interrupt };
}

describe('a question', () => {
  it('is asked on stderr, and answered by a line', async () => {
    const { prompter, keyboard, screen } = open();
    const answer = prompter.text('user:');
    await screen.until(/user: /);
    keyboard.write('alicf\u007fe\r');
    expect(await answer).toBe('alice');
    expect(screen.text).toContain('alic');
  });

  it('can be followed by another', async () => {
    const { prompter, keyboard } = open();
    for (const line of ['one', 'ü 😀', 'three']) {
      const answer = prompter.text('q:');
      keyboard.write(`${line}\r`);
      expect(await answer).toBe(line);
    }
  });

  it('shows nothing of a hidden answer', async () => {
    const { prompter, keyboard, screen } = open();
    const answer = prompter.hidden('password:');
    await screen.until(/password: $/);
    keyboard.write('geheim');
    keyboard.write('\r');
    expect(await answer).toBe('geheim');
    expect(screen.text).toBe('password: \n');
  });

  it.each(['text', 'hidden'] as const)('ends with Ctrl-C (%s)', async (kind) => {
    const { prompter, keyboard } = open();
    const answer = prompter[kind]('q:');
    keyboard.write('half\u0003');
    await expect(answer).rejects.toThrow(InterruptedError);
    expect(keyboard.modes.at(-1)).toBe(false);
  });

  it.each(['text', 'hidden'] as const)('goes on after Ctrl-Z (%s)', async (kind) => {
    const { prompter, keyboard } = open();
    const kill = vi.spyOn(process, 'kill').mockReturnValue(true); // what would stop this process
    onTestFinished(() => kill.mockRestore());
    const answer = prompter[kind]('q:');
    keyboard.write('ha\u001alf\r');
    expect(await answer).toBe('half');
    expect(kill).not.toHaveBeenCalled();
  });

  it.each([
    ['Enter', '\r'],
    ['Ctrl-D', '\u0004'],
  ])('is not answered by %s alone', async (_name, key) => {
    const { prompter, keyboard } = open();
    const answer = prompter.hidden('password:');
    keyboard.write(key);
    await expect(answer).rejects.toThrow(InvalidInputError);
  });

  it('is not answered when the keyboard goes away', async () => {
    const { prompter, keyboard } = open();
    const answer = prompter.text('q:');
    keyboard.end();
    await expect(answer).rejects.toThrow(InvalidInputError);
  });

  it('ends when the program is told to stop, with the terminal as it was', async () => {
    const { prompter, keyboard, interrupt } = open();
    const answer = prompter.text('q:');
    expect(keyboard.modes).toEqual([true]);
    interrupt.abort(new InterruptedError('SIGTERM'));
    await expect(answer).rejects.toMatchObject({ signal: 'SIGTERM' });
    expect(keyboard.modes.at(-1)).toBe(false);
  });

  it('leaves the terminal as it was', async () => {
    const { prompter, keyboard } = open();
    const answer = prompter.hidden('password:');
    keyboard.write('x\r');
    await answer;
    expect(keyboard.modes[0]).toBe(true);
    expect(keyboard.modes.at(-1)).toBe(false);
    expect(keyboard.listenerCount('keypress')).toBe(0);
  });
});

describe('whether anybody can be asked', () => {
  it.each([
    [true, true, true],
    [true, false, false],
    [false, true, false],
  ])('stdin a terminal: %s, stderr: %s → %s', (stdinIsTerminal, stderrIsTerminal, expected) => {
    const { signal } = new AbortController();
    const stdin = Object.assign(new PassThrough(), { isTTY: stdinIsTerminal });
    const { talk } = openStreams(
      { stdout: new Collector(true), stderr: new Collector(stderrIsTerminal) },
      PLAIN_STREAMS,
    );
    expect(openPrompter(openInput(stdin, signal), talk, signal).canAsk).toBe(expected);
  });
});
