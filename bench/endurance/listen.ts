/** A `listen`, and how much memory it has while it works. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Stage } from '../../test/evidence/stage.js';
import { BINARY } from '../../test/kit/binary.js';
import { startSink, type SinkOptions } from '../sink.js';

export interface Watched {
  readonly events: number;
  readonly seconds: number;
  /** The most that was resident at any time. */
  readonly peakMb: number;
  readonly samples: readonly Sample[];
}

export interface Sample {
  readonly second: number;
  readonly residentMb: number;
}

/**
 * Starts `mx2s listen --json` on a sink with these events, reads all of it, and looks at its memory every few seconds.
 * @throws Error when it did not print every event
 */
export async function watchListen(options: SinkOptions, say: (line: string) => void): Promise<Watched> {
  const stage = new Stage();
  try {
    const sink = await startSink(stage, options);
    const expected = options.coming?.total ?? options.backlog ?? 0;
    const startMs = performance.now();
    const child = spawn(BINARY, ['listen', '--json', '--count', String(expected)], {
      env: sink.env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let events = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, at + 1)) events += 1;
    });
    const samples: Sample[] = [];
    let peakMb = 0;
    const look = async (): Promise<void> => {
      const { residentMb, highestMb } = await memoryOf(child.pid ?? 0);
      if (residentMb === undefined) return;
      const second = Math.round((performance.now() - startMs) / 1000);
      samples.push({ second, residentMb });
      peakMb = Math.max(peakMb, highestMb ?? residentMb);
      if (samples.length % 60 === 1)
        say(`${String(second)} s: ${String(events)} events, ${residentMb.toFixed(1)} MB`);
    };
    const timer = setInterval(() => void look(), options.coming === undefined ? 250 : 10_000);
    const [code] = (await once(child, 'close')) as [number | null];
    clearInterval(timer);
    if (code !== 0 || events !== expected) {
      throw new Error(
        `listen ended with ${String(code)} after ${String(events)} of ${String(expected)} events`,
      );
    }
    return { events, seconds: (performance.now() - startMs) / 1000, peakMb, samples };
  } finally {
    await stage.close();
  }
}

/** As Linux has it; undefined where nobody says, or the process is over. */
async function memoryOf(
  pid: number,
): Promise<{ residentMb?: number | undefined; highestMb?: number | undefined }> {
  const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
  const megabytes = (name: string): number | undefined => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return kib === undefined ? undefined : Number(kib) / 1024;
  };
  return { residentMb: megabytes('VmRSS'), highestMb: megabytes('VmHWM') };
}

const NEWLINE = 0x0a;
