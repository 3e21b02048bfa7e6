/** Which proxy a request goes through. Pure: the environment is given as values. */
import { isLoopbackHost } from './loopback.js';

export interface ProxySettings {
  /** `--proxy`: for every request; empty for none at all. */
  readonly proxy?: string | undefined;
  /** `HTTPS_PROXY`: for https requests, where `proxy` is not given. */
  readonly httpsProxy?: string | undefined;
  /** `NO_PROXY`: hosts reached directly, as curl reads it: `example.org,.internal,10.0.0.1:8008` or `*`. */
  readonly noProxy?: string | undefined;
}

/** The proxy for `url`, or undefined to go directly. Loopback never goes through a proxy. */
export function proxyFor(url: URL, settings: ProxySettings): string | undefined {
  const proxy = settings.proxy ?? (url.protocol === 'https:' ? settings.httpsProxy : undefined);
  if (proxy === undefined || proxy === '') return undefined;
  if (isLoopbackHost(url.hostname) || isExcepted(url, settings.noProxy ?? '')) return undefined;
  return proxy;
}

/** An entry excepts the host it names and every host below it. */
function isExcepted(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/\.$/, '');
  const port = url.port || (url.protocol === 'https:' ? '443' : '80');
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const { name, port: onlyPort } = splitEntry(entry);
      if (onlyPort !== undefined && onlyPort !== port) return false;
      return host === name || host.endsWith(`.${name}`);
    });
}

function splitEntry(entry: string): { name: string; port: string | undefined } {
  const bareIpv6 = !entry.startsWith('[') && entry.split(':').length > 2;
  const match = bareIpv6 ? null : /^(.*):(\d+)$/.exec(entry);
  const host = bareIpv6 ? `[${entry}]` : (match?.[1] ?? entry);
  return { name: host.replace(/^\*?\./, '').replace(/\.$/, ''), port: match?.[2] };
}
