/** `exec:CMD`: hands the message to a command of the user's. */
import {
  encodeServerMessage,
  parseAnswers,
  type Answer,
  type Handler,
  type ServerMessage,
} from './handler.js';
import { inheritable, runShell, type ShellResult } from './shell.js';

/**
 * Runs `sh -c command` with the message as one JSON line on its stdin. Exit 0 with what `parseAnswers` takes
 * on stdout is the answer, empty stdout is none, anything else a failure.
 */
export function createExec(command: string, env: Readonly<Record<string, string | undefined>>): Handler {
  const inherited = inheritable(env);
  return async (message, signal) => {
    const input = `${encodeServerMessage(message)}\n`;
    const result = await runShell(
      { command, input, env: inherited, maxOutputBytes: MAX_OUTPUT_BYTES },
      signal,
    );
    return answerOf(result, message);
  };
}

function answerOf(result: ShellResult, message: ServerMessage): readonly Answer[] | undefined {
  if (result.status !== 0) {
    const how = result.status === undefined ? `was ended by ${result.signal}` : `ended with ${result.status}`;
    const said = result.stderr.trim().split('\n').at(-1) ?? '';
    throw new Error(said === '' ? `the command ${how}` : `the command ${how}: ${said.slice(0, MAX_SAID)}`);
  }
  return result.stdout.trim() === '' ? undefined : parseAnswers(result.stdout, message);
}

const MAX_OUTPUT_BYTES = 1024 * 1024;
const MAX_SAID = 200;
