import { expect, it } from 'vitest';
import { createExec } from '../../src/subsystems/exec.js';
import { MESSAGE, MESSAGE_LINE } from './message.js';

const ENV = { PATH: process.env['PATH'] };

function exec(command: string) {
  return createExec(command, ENV)(MESSAGE, new AbortController().signal);
}

it('gives the command one line, and takes its answer', async () => {
  const answer = await exec(`IFS= read -r line; printf '{"type":"t","content":{"line":%s}}' "$line"`);
  expect(answer).toEqual([{ type: 't', content: `{"line":${MESSAGE_LINE}}` }]);
});

it('takes the type received where the answer has none', async () => {
  expect(await exec(`echo '{"content":{}}'`)).toEqual([{ type: 'org.example.x', content: '{}' }]);
});

it.each(['true', 'echo; echo " "', 'cat > /dev/null'])(
  'takes empty output for no answer: %s',
  async (command) => {
    expect(await exec(command)).toBeUndefined();
  },
);

it.each([
  ['exit 3', 'the command ended with 3'],
  ['echo so much >&2; echo wrong >&2; exit 1', 'the command ended with 1: wrong'],
  ['kill -TERM $$', 'the command was ended by SIGTERM'],
  ['nonesuch-command', 'the command ended with 127'],
  [`echo '{"content":{}}'; exit 1`, 'the command ended with 1'],
  ['echo nope', 'expected a value'],
  ['echo "{}"', 'no object under "content"'],
])('fails for %s', async (command, why) => {
  await expect(exec(command)).rejects.toThrow(why);
});
