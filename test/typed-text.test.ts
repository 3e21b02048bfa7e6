import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../src/typed-text.js';

describe('withoutSecrets', () => {
  it.each([
    ['', ''],
    ['hs.example:8448', 'hs.example:8448'],
    ['@alice:hs.example', '@alice:hs.example'],
    ['ftp://hs.example/path', 'ftp://hs.example/path'],
    ['alice:pass@hs.example', '***@hs.example'],
    ['pass@hs.example', '***@hs.example'],
    ['@alice:pass@hs.example', '@***@hs.example'],
    ['@alice:p@ss@hs.example', '@***@hs.example'],
    ['htp://alice:pass@hs.example', '***@hs.example'],
    ['htp://alice:pa/ss\nss@hs.example', '***@hs.example'],
    ['x=htp:/alice:pass@hs.example', '***@hs.example'],
    ['syt_YWxpY2U_abc_1234', '***'],
    ['./mct_abc', './***'],
  ])('makes of %j %j', (text, shown) => {
    expect(withoutSecrets(text)).toBe(shown);
  });
});
