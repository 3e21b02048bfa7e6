/** What holds for every identifier, tried on made-up ones. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradeDeviceId, isServerDevice, parseDeviceId } from '../../src/ids/device-id.js';
import { gradeServerName, parseServerName } from '../../src/ids/server-name.js';
import {
  gradeUserId,
  isServerUser,
  localpartOf,
  parseUserId,
  serverNameOf,
  serverUserOf,
} from '../../src/ids/user-id.js';
import { anyText, port, serverName, userId } from './made-up.js';

fc.configureGlobal({ seed: 4246, numRuns: 1000 }); // the same ones on every run

/** In the order in which they are looked for. */
const faults = fc.record({
  E_SIGIL: fc.boolean(),
  E_NO_COLON: fc.boolean(),
  E_TOO_LONG: fc.boolean(),
  E_SERVER_CHAR: fc.boolean(),
  E_PORT: fc.boolean(),
  E_LOCALPART_CHAR: fc.boolean(),
});
describe('gradeUserId', () => {
  it('never throws, and gives the text back in parts', () => {
    fc.assert(
      fc.property(userId, (text) => {
        const verdict = gradeUserId(text);
        if (verdict.localpart !== undefined) expect(`@${verdict.localpart}:${verdict.serverName}`).toBe(text);
      }),
    );
  });

  it('finds whatever is strict also valid in MSC4246, and historical and compliant', () => {
    fc.assert(
      fc.property(userId, (text) => {
        const { strict, historical, msc4246 } = gradeUserId(text).grammars;
        fc.pre(strict.valid);
        expect(msc4246).toEqual({ valid: true });
        expect(historical).toEqual({ valid: true, compliant: true });
      }),
    );
  });

  it('finds valid in MSC4246 what is strict or the server user, and nothing else', () => {
    fc.assert(
      fc.property(userId, (text) => {
        const { grammars, isServer } = gradeUserId(text);
        expect(grammars.msc4246.valid).toBe(grammars.strict.valid || isServer);
        expect(isServer).toBe(
          text.startsWith('@:') && gradeServerName(text.slice(2)).isServer && bytesOf(text) <= 255,
        );
      }),
    );
  });

  it('finds whatever is valid in MSC4246 historical, too', () => {
    fc.assert(
      fc.property(userId, (text) => {
        const { historical, msc4246 } = gradeUserId(text).grammars;
        expect(historical.valid || !msc4246.valid).toBe(true);
      }),
    );
  });

  it('takes 255 bytes of UTF-8 and no more', () => {
    const name = fc.array(fc.constantFrom('a', 'é', '€', '🐈'), { minLength: 50, maxLength: 250 });
    fc.assert(
      fc.property(name, (characters) => {
        const id = `@${characters.join('')}:b`;
        expect(gradeUserId(id).grammars.historical).toEqual(
          bytesOf(id) <= 255
            ? { valid: true, compliant: characters.every((each) => each === 'a') }
            : { valid: false, code: 'E_TOO_LONG' },
        );
      }),
    );
  });

  it('names the first of several faults: sigil, colon, length, host, port, localpart', () => {
    fc.assert(
      fc.property(faults, (has) => {
        const text = [
          has.E_SIGIL ? 'alice' : '@alice',
          has.E_LOCALPART_CHAR ? '!' : '',
          has.E_TOO_LONG ? 'a'.repeat(255) : '',
          has.E_NO_COLON ? '' : `:${has.E_SERVER_CHAR ? 'a_b' : 'ab'}${has.E_PORT ? ':' : ''}`,
        ].join('');
        const first = Object.entries(has).find(([, present]) => present)?.[0];
        expect(gradeUserId(text).grammars.strict).toEqual(
          first === undefined ? { valid: true } : { valid: false, code: first },
        );
      }),
    );
  });
});

describe('the parsers', () => {
  it('give back a valid text as it is, in parts that make it again', () => {
    fc.assert(
      fc.property(userId, (text) => {
        fc.pre(gradeUserId(text).grammars.historical.valid);
        const id = parseUserId(text, 'historical');
        expect(id).toBe(text);
        expect(`@${localpartOf(id)}:${serverNameOf(id)}`).toBe(text);
        expect(parseServerName(serverNameOf(id))).toBe(serverNameOf(id));
        expect(isServerUser(id)).toBe(localpartOf(id) === '');
      }),
    );
  });

  it('refuse what is not valid, with its code as the reason', () => {
    fc.assert(
      fc.property(userId, fc.constantFrom('strict', 'historical', 'msc4246'), (text, grammar) => {
        const grade = gradeUserId(text).grammars[grammar];
        fc.pre(!grade.valid);
        expect(() => parseUserId(text, grammar)).toThrow(expect.objectContaining({ reason: grade.code }));
      }),
    );
  });

  it('make the server user of every server name that leaves room for it', () => {
    fc.assert(
      fc.property(fc.tuple(serverName, port), ([host, end]) => {
        const text = host + end;
        fc.pre(gradeServerName(text).isServer && text.length <= 253);
        const name = parseServerName(text);
        expect(isServerUser(serverUserOf(name))).toBe(true);
        expect(serverNameOf(serverUserOf(name))).toBe(name);
      }),
    );
  });

  it('take every device ID but the wildcard and half surrogate pairs', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.constantFrom('', '*')), (text) => {
        const { grammars, isServer } = gradeDeviceId(text);
        expect(grammars.msc4246.valid).toBe(text !== '*' && text.isWellFormed());
        expect(isServer).toBe(isServerDevice(text));
        if (grammars.msc4246.valid) expect(parseDeviceId(text)).toBe(text);
      }),
    );
  });
});

describe('gradeServerName', () => {
  it('accepts the domains and addresses that others make', () => {
    const host = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
    );
    fc.assert(
      fc.property(host, fc.integer({ min: 0, max: 65_535 }), (name, number) => {
        expect(gradeServerName(name).grammars.strict).toEqual({ valid: true });
        expect(gradeServerName(`${name}:${number}`).grammars.strict).toEqual({ valid: true });
      }),
    );
  });
});

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
