/** Made-up identifiers for property tests: near misses, odd text, and lengths about the limit. */
import fc from 'fast-check';

/** Any UTF-16, half surrogate pairs too. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);
const localpart = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'az09._=-/+') }),
  fc.string({ unit: 'grapheme-ascii' }),
  anyText,
  fc.constant(''),
);
export const serverName = fc.oneof(
  fc.domain(),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
  fc.string({ unit: fc.constantFrom(...'aZ0.-:[]_'), maxLength: 12 }),
);
/** What may follow a host, rightly or not. */
export const port = fc.oneof(
  fc.constant(''),
  fc.integer({ min: 0, max: 70_000 }).map((number) => `:${number}`),
  anyText,
);
const nearUserId = fc.tuple(localpart, serverName, port).map(([name, host, end]) => `@${name}:${host}${end}`);
export const userId = fc.oneof({ weight: 3, arbitrary: nearUserId }, anyText);
