/** The first part of a request as it goes over the wire (RFC 9112). Pure. */

export interface RequestHead {
  readonly method: string;
  /** Path and query; the whole URL for a proxy; host and port for CONNECT. */
  readonly target: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Encodes it, with the empty line at its end.
 * @throws TypeError for what would end a line early or is no header: whoever lets that through has a bug
 */
export function encodeRequestHead({ method, target, headers }: RequestHead): string {
  if (!/^[\x21-\x7e]+$/.test(target)) throw new TypeError('the target of a request holds what no URL may');
  let head = `${method} ${target} HTTP/1.1\r\n`;
  for (const [name, value] of Object.entries(headers)) {
    if (!TOKEN.test(name) || !VALUE.test(value)) throw new TypeError(`the header ${name} is none`);
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** RFC 9110 sections 5.1 and 5.5; of visible characters those of ASCII alone mean the same to everybody. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const VALUE = /^[\t\x20-\x7e]*$/;
