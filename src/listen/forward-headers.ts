/** The headers that go along with `--forward-to`. */
import { InvalidInputError } from '../errors.js';

/** One header, or a file of them. */
export type HeaderArgument = { readonly name: string; readonly value: string } | { readonly file: string };

/**
 * Reads the value of `-H`: `K: V`, or `@FILE`. A header that usually holds a secret must come from a file: what
 * stands on the command line, every user of the machine can see.
 *
 * @throws InvalidInputError
 */
export function parseHeaderArgument(text: string): HeaderArgument {
  if (text.startsWith('@')) return { file: text.slice(1) };
  const header = parseHeader(text);
  if (SECRET_NAME.test(header.name)) {
    throw new InvalidInputError(
      `-H: a header ${header.name} on the command line would show in the list of processes`,
      {
        reason: 'secret_header',
        hint: 'write it into a file, and name the file: -H @FILE',
      },
    );
  }
  refuseConnectionHeader(header.name);
  return header;
}

/**
 * Reads a file of headers: one a line, blank lines and lines that start with `#` left out.
 * @throws InvalidInputError; the message does not show the line, which may be a secret
 */
export function parseHeaderFile(text: string, file: string): Record<string, string> {
  const headers: Record<string, string> = {};
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === '' || line.startsWith('#')) return;
    const header = readHeader(line);
    if (header === undefined) throw notAHeader(`-H: line ${index + 1} of ${file} is no header`);
    refuseConnectionHeader(header.name);
    headers[header.name] = header.value;
  });
  return headers;
}

function refuseConnectionHeader(name: string): void {
  if (!CONNECTION_HEADERS.has(name)) return;
  throw new InvalidInputError(
    `-H: the header ${name} belongs to the connection, and is not for anybody to set`,
    {
      reason: 'header',
      hint: name === 'host' ? 'the host is the one in the URL of --forward-to' : 'leave it out',
    },
  );
}

function parseHeader(text: string): { name: string; value: string } {
  const header = readHeader(text);
  if (header === undefined) throw notAHeader('-H: what it names is no header'); // not shown, it may be a secret
  return header;
}

/** A token, a colon, visible ASCII with spaces (RFC 9110, sections 5.1 and 5.5). The name in lower case. */
function readHeader(text: string): { name: string; value: string } | undefined {
  const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t\x20-\x7e]*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  return { name: name.toLowerCase(), value: value.trimEnd() };
}

function notAHeader(message: string): InvalidInputError {
  return new InvalidInputError(message, { reason: 'header', hint: 'write it like X-Source: mx2s' });
}

/** Words that stand in the names of headers that hold a secret. */
const SECRET_NAME =
  /(?:^|[-_])(?:auth|authorization|authentication|cookie|credentials?|jwt|passw(?:or)?d|secret|session|signature|token|api-?key|access-?key)(?:$|[-_])/;
/**
 * How a message is carried, not what it says (RFC 9110, sections 7.2, 7.6.1, 8.6 and 10.1.1; RFC 9112, section 6.1).
 */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
