/** `mx2s demo`: the main job, from nothing, with every command's real output. */
import { runTour } from '../demo/tour.js';
import { escapeText } from '../ui/escape.js';
import { renderStep } from '../ui/render/demo.js';
import { addExamples, define } from './define.js';

export const demo = define<undefined>({
  configure: (command) => addExamples(command, ['mx2s demo']),
  options: () => undefined,
  run: async ({ selfCommand, env, signal, out }) => {
    const { failed } = await runTour({
      program: selfCommand,
      env,
      signal,
      onStep: (step) => out.write(renderStep(step, out.palette)),
      onOutput: (text) => out.write(text.split('\n').map(escapeText).join('\n')),
    });
    if (failed !== undefined) {
      const ended = failed.exitCode === null ? 'a signal' : String(failed.exitCode);
      throw new Error(
        `the demo's ${failed.step.argv[0] ?? ''} ended with ${ended}, not ${failed.step.exitCode}`,
      );
    }
    return 0;
  },
});
