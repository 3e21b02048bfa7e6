import { describe, expect, it } from 'vitest';
import { isServerUser, localpartOf, parseUserId, serverNameOf, serverUserOf } from '../../src/ids/user-id.js';
import { parseServerName } from '../../src/ids/server-name.js';

describe('a parsed user ID', () => {
  it('comes apart at its first colon', () => {
    const id = parseUserId('@alice:[::1]:8448');
    expect(localpartOf(id)).toBe('alice');
    expect(serverNameOf(id)).toBe('[::1]:8448');
    expect(isServerUser(id)).toBe(false);
  });

  it('is a server user exactly if its localpart is empty', () => {
    const id = serverUserOf(parseServerName('example.org:8448'));
    expect(id).toBe('@:example.org:8448');
    expect(localpartOf(id)).toBe('');
    expect(isServerUser(id)).toBe(true);
  });

  it('is never longer than 255 bytes, also when made from a server name', () => {
    const name = parseServerName('a'.repeat(254));
    expect(() => serverUserOf(name)).toThrow(expect.objectContaining({ reason: 'E_TOO_LONG' }));
  });
});

describe('parseUserId', () => {
  it('takes the grammar of MSC4246 unless told otherwise', () => {
    expect(parseUserId('@:example.org')).toBe('@:example.org');
    expect(() => parseUserId('@:example.org', 'strict')).toThrow(
      expect.objectContaining({ code: 'invalid_input', reason: 'E_LOCALPART_EMPTY' }),
    );
    expect(() => parseUserId('@Alice:example.org')).toThrow(
      expect.objectContaining({ reason: 'E_LOCALPART_CHAR' }),
    );
    expect(parseUserId('@Alice:example.org', 'historical')).toBe('@Alice:example.org');
  });

  it('says which text it refused and why, and cuts long ones', () => {
    expect(() => parseUserId('alice')).toThrow('"alice" is not a valid user ID: a user ID starts with "@"');
    expect(() => parseUserId(`@${'a'.repeat(1000)}:b`)).toThrow(
      `"@${'a'.repeat(79)}…" is not a valid user ID: it is longer than 255 bytes`,
    );
  });
});
