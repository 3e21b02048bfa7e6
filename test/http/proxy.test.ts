import { describe, expect, it } from 'vitest';
import { proxyFor, type ProxySettings } from '../../src/http/proxy.js';

const BOTH = { proxy: 'http://flag:1', httpsProxy: 'http://env:2' };
const ENV = { httpsProxy: 'http://env:2' };

const cases: [url: string, settings: ProxySettings, proxy: string | undefined][] = [
  ['https://hs.example', {}, undefined],
  ['https://hs.example', BOTH, 'http://flag:1'],
  ['http://hs.example', BOTH, 'http://flag:1'],
  ['https://hs.example', ENV, 'http://env:2'],
  ['http://hs.example', ENV, undefined], // HTTPS_PROXY is for https
  ['https://hs.example', { httpsProxy: '' }, undefined],
  ['https://hs.example', { ...BOTH, proxy: '' }, undefined],
  ['https://127.0.0.1:8448', BOTH, undefined],
  ['http://localhost:8008', BOTH, undefined],
  ['http://[::1]:8008', BOTH, undefined],
  ['https://hs.example', { ...BOTH, noProxy: '*' }, undefined],
  ['https://hs.example', { ...BOTH, noProxy: 'hs.example' }, undefined],
  ['https://hs.example', { ...BOTH, noProxy: ' other.example , HS.example ' }, undefined],
  ['https://a.hs.example', { ...BOTH, noProxy: 'hs.example' }, undefined],
  ['https://a.hs.example', { ...BOTH, noProxy: '.hs.example' }, undefined],
  ['https://hs.example', { ...BOTH, noProxy: '.hs.example' }, undefined], // as curl reads it
  ['https://a.hs.example', { ...BOTH, noProxy: '*.hs.example' }, undefined],
  ['https://nhs.example', { ...BOTH, noProxy: 'hs.example' }, 'http://flag:1'],
  ['https://hs.example', { ...BOTH, noProxy: 'hs.example:8448' }, 'http://flag:1'],
  ['https://hs.example:8448', { ...BOTH, noProxy: 'hs.example:8448' }, undefined],
  ['https://hs.example', { ...BOTH, noProxy: 'hs.example:443' }, undefined],
  ['http://hs.example', { ...BOTH, noProxy: 'hs.example:80' }, undefined],
  ['https://10.0.0.1', { ...BOTH, noProxy: '10.0.0.1' }, undefined],
  ['https://10.0.0.11', { ...BOTH, noProxy: '10.0.0.1' }, 'http://flag:1'],
  ['https://[2001:db8::1]', { ...BOTH, noProxy: '2001:db8::1' }, undefined],
  ['https://[2001:db8::1]:8448', { ...BOTH, noProxy: '[2001:db8::1]:8448' }, undefined],
  ['https://[2001:db8::1]:443', { ...BOTH, noProxy: '[2001:db8::1]:8448' }, 'http://flag:1'],
  ['https://hs.example.', { ...BOTH, noProxy: 'hs.example' }, undefined],
  ['https://hs.example', { ...BOTH, noProxy: ',,' }, 'http://flag:1'],
];

describe('proxyFor', () => {
  it.each(cases)('%s with %o goes through %s', (url, settings, proxy) => {
    expect(proxyFor(new URL(url), settings)).toBe(proxy);
  });
});
