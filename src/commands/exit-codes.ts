/** `mx2s help exit-codes`: the exit statuses and the values of `error.code`. */
import { ERROR_ROWS, EXIT_ROWS } from '../exit-codes.js';
import { define } from './define.js';

export const exitCodes = define<undefined>({
  configure: (command) => {
    command.helpInformation = renderExitCodes;
  },
  options: () => undefined,
  run: async (context) => {
    await context.out.write(renderExitCodes());
    return 0;
  },
});

/** Both tables as text. */
export function renderExitCodes(): string {
  const statuses = EXIT_ROWS.map(({ codes, meaning }) => `  ${codes.join(', ').padEnd(10)}${meaning}`);
  const errors = Object.entries(ERROR_ROWS).map(
    ([code, { exit, meaning }]) => `  ${code.padEnd(20)}${String(exit).padEnd(5)}${meaning}`,
  );
  return [
    'Exit status',
    ...statuses,
    '',
    'Values of error.code, their exit status and meaning',
    ...errors,
    '',
  ].join('\n');
}
