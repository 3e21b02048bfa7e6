import { describe, expect, it } from 'vitest';
import { PLAIN_PALETTE, type Palette } from '../../../src/ui/palette.js';
import { renderLogin, renderLogout, renderProfile, renderWhoami } from '../../../src/ui/render/profiles.js';

const session = {
  v: 1,
  profile: 'work',
  homeserver: 'https://example.org',
  user_id: '@alice:example.org',
  device_id: 'ABC',
} as const;

describe('what people read of a session', () => {
  it('says of a login who, where and where it is stored', () => {
    expect(renderLogin({ ...session, config_file: '/c/profiles.json' }, PLAIN_PALETTE)).toBe(
      'logged in as @alice:example.org at https://example.org, device ABC\nprofile work in /c/profiles.json',
    );
  });

  it.each([
    ['ended', 'logged out @alice:example.org, profile work is gone'],
    ['over', 'logged out @alice:example.org, profile work is gone'],
    ['unknown', 'forgot @alice:example.org, profile work is gone'],
  ] as const)('says of a logout no more than is known: %s', (outcome, line) => {
    expect(renderLogout({ ...session, session: outcome }, PLAIN_PALETTE)).toBe(line);
  });

  it.each([
    [{ source: 'profile', profile: 'work' }, '(profile work)'],
    [{ source: 'environment', profile: undefined }, '(from the environment)'],
    [{ source: 'flag', profile: undefined }, '(from the command line)'],
  ] as const)('says of whoami by which source: %j', (source, end) => {
    expect(renderWhoami({ ...session, ...source }, PLAIN_PALETTE)).toBe(
      `@alice:example.org at https://example.org, device ABC ${end}`,
    );
  });

  it('says of a token that it has no device', () => {
    const result = { ...session, device_id: undefined, profile: undefined, source: 'environment' } as const;
    expect(renderWhoami(result, PLAIN_PALETTE)).toContain('no device');
  });

  it('marks the current profile, and lines names up', () => {
    expect(renderProfile({ ...session, current: true }, PLAIN_PALETTE, 7)).toBe(
      '*  work     @alice:example.org  ABC  https://example.org',
    );
    expect(renderProfile({ ...session, current: false }, PLAIN_PALETTE, 4)).toBe(
      '   work  @alice:example.org  ABC  https://example.org',
    );
  });

  it('pads a name before it is painted', () => {
    const painted: Palette = { ...PLAIN_PALETTE, strong: (text) => `<${text}>` };
    expect(renderProfile({ ...session, current: true }, painted, 7)).toContain('<work   >');
  });

  it('escapes what a homeserver said', () => {
    const hostile = { ...session, user_id: '@\u001b[2J:x', device_id: '\u202e', homeserver: 'https://x' };
    for (const text of [
      renderLogin({ ...hostile, config_file: '/c' }, PLAIN_PALETTE),
      renderLogout({ ...hostile, session: 'ended' }, PLAIN_PALETTE),
      renderWhoami({ ...hostile, source: 'profile' }, PLAIN_PALETTE),
      renderProfile({ ...hostile, current: true }, PLAIN_PALETTE, 4),
    ]) {
      expect(text).toContain('\\u001b[2J');
      expect(text).not.toMatch(/[\u001b\u202e]/);
    }
  });
});
