/** UTF-8, as The Unicode Standard has it in table 3-7. */

/** Are the bytes from `start` to `end` well-formed UTF-8? No surrogates, nothing longer than it has to be. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  while (at < end) {
    const size = sequenceSize(bytes[at] ?? 0, bytes[at + 1] ?? 0);
    if (size === 0 || at + size > end) return false;
    for (let place = at + 2; place < at + size; place += 1) {
      if (!isContinuation(bytes[place] ?? 0)) return false;
    }
    at += size;
  }
  return true;
}

/** How many bytes a sequence has that begins so; 0 if none does. */
function sequenceSize(first: number, second: number): number {
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4 || !isContinuation(second)) return 0;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return (first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f) ? 0 : 3;
  return (first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f) ? 0 : 4;
}

/** Is it a byte that goes on with a sequence? */
export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
