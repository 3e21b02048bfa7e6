/** `mx2s bench validate`: how many identifiers `mx2s validate-id --count` checks in a second. */
import { setImmediate } from 'node:timers/promises';
import { identifierLines } from '../bench/identifiers.js';
import type { End } from '../bench/load.js';
import type { ExitCode } from '../exit-codes.js';
import { chunksOf, chunksOfFile } from '../ui/file-input.js';
import type { ValidateBenchResult } from '../ui/render/bench.js';
import type { IdCount } from '../ui/render/validate-id.js';
import type { ValidateBench } from './bench-options.js';
import { conclude, print, rateOf, rounded } from './bench-report.js';
import type { Context } from './context.js';
import { readFlags } from './define.js';
import { validateId } from './validate-id.js';

export async function benchValidate(context: Context, options: ValidateBench): Promise<ExitCode> {
  const { clock, talk, globals } = context;
  const { kind, grammar, count, timeoutMs } = options;
  const { source, chunks } = openSource(context, options);
  const what =
    source === 'generated' ? `${count} identifiers that are made for it` : `the identifiers of ${source}`;
  talk.notice(`validates ${what}, for ${timeoutMs / 1000} s at most`);

  // the command itself, so that nothing else is measured than what people run
  const validate = validateId.prepare({
    args: ['-'],
    passedOn: [],
    flags: readFlags({ count: true, kind, grammar }),
    globals: { ...globals, quiet: false },
  });
  const startedMs = clock.monotonic();
  const meter = new Meter(context, startedMs + timeoutMs);
  let counted: IdCount | undefined;
  await validate({
    ...context,
    stdin: { ...context.stdin, sizeBytes: () => undefined, chunks: () => meter.watch(chunks) },
    out: {
      ...context.out,
      result: async (value) => {
        if (isCount(value)) counted = value;
      },
    },
  });
  const elapsedMs = clock.monotonic() - startedMs;
  const { total, valid, invalid } = counted ?? NOTHING;
  const { ended, bytes } = meter;
  const result: ValidateBenchResult = {
    v: 1,
    bench: 'validate',
    source,
    kind,
    grammar,
    total,
    valid,
    invalid,
    bytes,
    ended,
    elapsed_ms: rounded(elapsedMs),
    rate: rateOf(total, elapsedMs),
  };
  await print(context, result);
  return conclude(context, options, { ended, done: total, error: undefined });
}

interface Source {
  readonly source: ValidateBenchResult['source'];
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

function openSource({ stdin }: Context, { source, kind, count }: ValidateBench): Source {
  if (source === undefined) return { source: 'generated', chunks: identifierLines(kind, count) };
  if (source === '-') return { source: 'stdin', chunks: chunksOf(stdin) };
  return { source: 'file', chunks: chunksOfFile(source, 'the identifiers') };
}

function isCount(value: object): value is IdCount {
  return 'total' in value && 'valid' in value && 'invalid' in value;
}

/** Counts what goes by, and ends it when the time is over or a signal came. */
class Meter {
  readonly #context: Context;
  readonly #deadlineMs: number;
  ended: End = 'count';
  bytes = 0;

  constructor(context: Context, deadlineMs: number) {
    this.#context = context;
    this.#deadlineMs = deadlineMs;
  }

  async *watch(chunks: Source['chunks']): AsyncGenerator<Uint8Array> {
    const { clock, signal } = this.#context;
    for await (const chunk of chunks) {
      await setImmediate(); // or no signal would ever be heard
      if (signal.aborted) return void (this.ended = 'interrupted');
      if (clock.monotonic() >= this.#deadlineMs) return void (this.ended = 'time');
      this.bytes += chunk.byteLength;
      yield chunk;
    }
  }
}

const NOTHING = { total: 0, valid: 0, invalid: 0 };
