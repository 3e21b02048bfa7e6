/**
 * Questions to whoever sits at the keyboard: asked on stderr, read from stdin, and only where both are a
 * terminal. A password is not shown while it is typed.
 */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { InterruptedError, InvalidInputError } from '../errors.js';
import { escapeText } from './escape.js';
import type { Input, Talk } from './streams.js';

export interface Prompter {
  /** Is anybody there to be asked? */
  readonly canAsk: boolean;
  /**
   * Asks, and gives the line that was typed.
   * @throws InterruptedError on Ctrl-C, InvalidInputError when nothing was typed, the signal's reason
   */
  text(question: string): Promise<string>;
  /** The same; nothing is shown of what is typed. */
  hidden(question: string): Promise<string>;
}

/** Opens the keyboard. The terminal is given back as it was when a question ends, however it ends. */
export function openPrompter(stdin: Input, talk: Talk, signal: AbortSignal): Prompter {
  const ask = async (question: string, echo: (typed: string) => void): Promise<string> => {
    const answer = await readLine(stdin, `${escapeText(question)} `, echo, signal);
    if (answer !== '') return answer;
    throw new InvalidInputError(`nothing was typed for ${JSON.stringify(question)}`, { reason: 'empty' });
  };
  return {
    canAsk: stdin.isTerminal && talk.isTerminal,
    text: (question) => ask(question, (typed) => talk.raw(typed)),
    hidden: async (question) => {
      talk.raw(`${escapeText(question)} `);
      try {
        return await ask(question, () => undefined);
      } finally {
        talk.raw('\n'); // the line end that was typed was not shown either
      }
    },
  };
}

/** Node's line editor; `echo` gets what it draws, the question included. '' when the input ended. */
function readLine(
  stdin: Input,
  question: string,
  echo: (typed: string) => void,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const screen = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        echo(chunk.toString());
        done();
      },
    });
    const editor = createInterface({ input: stdin.stream, output: screen, terminal: true, historySize: 0 });
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort);
      settle(); // before `close`, whose own event would settle it as an empty line
      editor.close();
    };
    const onAbort = (): void => end(() => reject(signal.reason as Error));
    signal.addEventListener('abort', onAbort, { once: true });
    editor.once('SIGINT', () => end(() => reject(new InterruptedError('SIGINT'))));
    // a program that is stopped here would come back with a terminal that shows what is typed
    editor.on('SIGTSTP', () => undefined);
    editor.once('close', () => end(() => resolve('')));
    editor.question(question, (line) => end(() => resolve(line)));
  });
}
