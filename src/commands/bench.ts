/** `mx2s bench`: how fast a homeserver accepts and delivers, and how fast this program is. */
import { configureBench, parseBenchOptions, type BenchOptions } from './bench-options.js';
import { define } from './define.js';

export const bench = define<BenchOptions>({
  configure: configureBench,
  options: parseBenchOptions,
  run: async (context, options) => {
    switch (options.bench) {
      case 'send':
        return (await import('./bench-send.js')).benchSend(context, options);
      case 'listen':
        return (await import('./bench-listen.js')).benchListen(context, options);
      case 'serve':
        return (await import('./bench-serve.js')).benchServe(context, options);
      case 'validate':
        return (await import('./bench-validate.js')).benchValidate(context, options);
    }
  },
});
