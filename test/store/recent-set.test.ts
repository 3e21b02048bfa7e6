import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecentSet } from '../../src/store/recent-set.js';

describe('RecentSet', () => {
  it('knows the texts that were added last, and no others', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 5 }), (texts, kept) => {
        const set = new RecentSet(kept);
        for (const text of texts) set.add(text);
        expect(texts.filter((text) => set.has(text))).toEqual(texts.slice(-kept));
      }),
    );
  });

  it('knows nothing at first', () => {
    expect(new RecentSet(3).has('')).toBe(false);
  });
});
