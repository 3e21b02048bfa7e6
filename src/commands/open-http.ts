/** Opens the one HTTP client of a run from the global flags and the environment. */
import { appendFileSync, promises as files } from 'node:fs';
import { UnreadableFileError } from '../errors.js';
import type { TrustedRoots } from '../http/certificates.js';
import { HttpClient } from '../http/client.js';
import { openTransport, type Transport } from '../http/transport.js';
import type { Context } from './context.js';

/**
 * @param around for who has to see each exchange: gives a transport that does as the one it is given
 * @throws UnreadableFileError when `--cacert` or `--trace-file` cannot be used
 */
export async function openHttp(
  context: Context,
  around: (transport: Transport) => Transport = (transport) => transport,
): Promise<HttpClient> {
  const { globals, env, talk } = context;
  const transport = openTransport({
    trusted: globals.caCertFile === undefined ? undefined : await trustIn(await readPem(globals.caCertFile)),
    insecure: globals.insecure,
    proxy: globals.proxy,
    httpsProxy: env['HTTPS_PROXY'] ?? env['https_proxy'],
    noProxy: env['NO_PROXY'] ?? env['no_proxy'],
    trace: traceSink(context),
  });
  return new HttpClient({
    transport: around(transport),
    clock: context.clock,
    chance: context.chance,
    policy: { retries: globals.retries, maxWaitMs: globals.maxWaitMs },
    onRetry: ({ attempt, delayMs, reason }) => {
      const text = `attempt ${attempt} failed (${reason}), next in ${Math.ceil(delayMs / 1000)} s`;
      if (delayMs < LONG_WAIT_MS) talk.detail(text);
      else talk.notice(text);
    },
  });
}

/** Where the wire log goes; undefined without `--trace` and `--trace-file`. @throws UnreadableFileError */
export function traceSink({ globals, talk }: Context): ((line: string) => void) | undefined {
  const { trace, traceFile } = globals;
  if (traceFile !== undefined) {
    // opened once here, so that a path that cannot be written is told before anything is sent
    writeTrace(traceFile, '');
    let isBroken = false;
    return (line) => {
      if (trace) talk.line(line);
      if (isBroken) return;
      try {
        writeTrace(traceFile, `${line}\n`);
      } catch (error) {
        if (!(error instanceof UnreadableFileError)) throw error;
        isBroken = true; // a full disk is no reason to end what is being watched
        talk.warn(`${error.message}; it ends here`);
      }
    };
  }
  return trace ? (line) => talk.line(line) : undefined;
}

function writeTrace(file: string, text: string): void {
  try {
    appendFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new UnreadableFileError(file, `cannot write the wire log to ${file}: ${(error as Error).message}`, {
      hint: 'name a file in a directory that you may write to',
      cause: error,
    });
  }
}

/** The default roots and the certificates in a PEM text. @throws InvalidInputError when there are none */
export async function trustIn(pem: string): Promise<TrustedRoots> {
  const { parseCertificates } = await import('../http/certificates.js');
  return parseCertificates(pem);
}

async function readPem(file: string): Promise<string> {
  try {
    return await files.readFile(file, 'utf8');
  } catch (error) {
    throw new UnreadableFileError(
      file,
      `cannot read certificates from ${file}: ${(error as Error).message}`,
      {
        hint: '--cacert takes a PEM file',
        cause: error,
      },
    );
  }
}

/** From here on a wait that nobody explains looks like a program that hangs. */
const LONG_WAIT_MS = 5000;
