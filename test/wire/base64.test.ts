import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../../src/wire/base64.js';

/** Matrix v1.19, Appendices, "Unpadded Base64". */
const SPECIFIED = ['', 'Zg', 'Zm8', 'Zm9v', 'Zm9vYg', 'Zm9vYmE', 'Zm9vYmFy'];

describe('unpadded base64', () => {
  it.each(SPECIFIED.map((encoded, length) => [encoded, 'foobar'.slice(0, length)]))(
    '%j is %j',
    (encoded, text) => {
      expect(encodeBase64(Buffer.from(text))).toBe(encoded);
      expect(decodeBase64(encoded)).toEqual(new Uint8Array(Buffer.from(text)));
    },
  );

  it('is read with padding, too', () => {
    expect(decodeBase64('Zg==')).toEqual(Uint8Array.of(0x66));
  });

  it.each(['Z', 'Zm9vY', 'Zm9-', 'Zm 8', 'Zg===', 'Z=g', '\n'])('%j is none', (text) => {
    expect(decodeBase64(text)).toBeUndefined();
  });

  it('round trips', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
      }),
    );
  });
});
