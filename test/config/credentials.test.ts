import { describe, expect, it } from 'vitest';
import { chooseCredentials, chooseProfile, type CredentialChoice } from '../../src/config/credentials.js';
import { NO_PROFILES, parseProfileName, withProfile, type Profile } from '../../src/config/profiles.js';
import { InvalidInputError, NotLoggedInError, UsageError } from '../../src/errors.js';
import { exitCodeOf } from '../../src/exit-codes.js';
import { parseDeviceId } from '../../src/ids/device-id.js';
import { parseUserId } from '../../src/ids/user-id.js';

const HERE = 'https://here.example';
const THERE = 'https://there.example';

function profileAt(homeserver: string): Profile {
  return {
    homeserver,
    userId: parseUserId('@alice:example.org'),
    deviceId: parseDeviceId('ABC'),
    ownDevice: true,
    accessToken: 'stored-token',
  };
}

const here = parseProfileName('here');
const there = parseProfileName('there');
/** The current one is for HERE. */
const profiles = withProfile(withProfile(NO_PROFILES, here, profileAt(HERE)), there, profileAt(THERE));

/** Which source won, and where its token would go; or the exit status. */
function outcome(flags: Flags, env: Record<string, string>, stored = profiles): string {
  try {
    const choice = chooseCredentials(
      { homeserver: undefined, accessTokenFile: undefined, profile: undefined, ...flags },
      env,
    );
    return `${winner(choice, stored)}`;
  } catch (error) {
    return `exit ${exitCodeOf(error)}`;
  }
}

function winner(choice: CredentialChoice, stored: typeof profiles): string {
  if (choice.kind === 'given') return `${choice.source} → ${choice.homeserver}`;
  const { name, homeserver } = chooseProfile(choice, stored);
  return `profile ${name} → ${homeserver}`;
}

interface Flags {
  homeserver?: string;
  accessTokenFile?: string;
  profile?: string;
}

const H = 'MX2S_HOMESERVER';
const T = 'MX2S_ACCESS_TOKEN';
const F = 'MX2S_ACCESS_TOKEN_FILE';
const P = 'MX2S_PROFILE';

describe('one source', () => {
  const rows: [flags: Flags, env: Record<string, string>, expected: string][] = [
    // nothing: the current profile
    [{}, {}, `profile here → ${HERE}`],
    // flags, both
    [{ homeserver: HERE, accessTokenFile: '-' }, {}, `flag → ${HERE}`],
    [{ homeserver: THERE, accessTokenFile: 'f', profile: 'here' }, {}, `flag → ${THERE}`],
    [{ homeserver: THERE, accessTokenFile: 'f' }, { [H]: HERE, [T]: 't', [P]: 'here' }, `flag → ${THERE}`],
    [{ homeserver: THERE, accessTokenFile: 'f' }, { [T]: 't', [F]: 'f' }, `flag → ${THERE}`],
    // a token flag alone
    [{ accessTokenFile: 'f' }, {}, 'exit 2'],
    [{ accessTokenFile: 'f', profile: 'here' }, {}, 'exit 2'],
    [{ accessTokenFile: 'f' }, { [H]: HERE }, 'exit 2'],
    [{ accessTokenFile: 'f' }, { [H]: HERE, [T]: 't' }, 'exit 2'],
    [{ accessTokenFile: 'f' }, { [P]: 'here' }, 'exit 2'],
    // a homeserver flag alone: with a stored token of the same origin
    [{ homeserver: HERE }, {}, `profile here → ${HERE}`],
    [{ homeserver: `${HERE}:443/` }, {}, `profile here → ${HERE}`],
    [{ homeserver: `${HERE}/path` }, {}, `profile here → ${HERE}/path`],
    [{ homeserver: THERE }, {}, 'exit 2'],
    [{ homeserver: `${HERE}:8448` }, {}, 'exit 2'],
    [{ homeserver: 'http://here.example' }, {}, 'exit 2'],
    [{ homeserver: THERE, profile: 'there' }, {}, `profile there → ${THERE}`],
    [{ homeserver: HERE, profile: 'there' }, {}, 'exit 2'],
    [{ homeserver: THERE }, { [P]: 'there' }, `profile there → ${THERE}`],
    [{ homeserver: HERE }, { [P]: 'there' }, 'exit 2'],
    // … and never with a token of the environment
    [{ homeserver: HERE }, { [T]: 't' }, 'exit 2'],
    [{ homeserver: HERE }, { [F]: 'f' }, 'exit 2'],
    [{ homeserver: HERE }, { [H]: HERE, [T]: 't' }, 'exit 2'],
    [{ homeserver: HERE, profile: 'here' }, { [H]: THERE, [T]: 't' }, `profile here → ${HERE}`],
    [{ homeserver: HERE }, { [H]: THERE }, `profile here → ${HERE}`],
    // a profile flag
    [{ profile: 'there' }, {}, `profile there → ${THERE}`],
    [{ profile: 'there' }, { [H]: HERE, [T]: 't' }, `profile there → ${THERE}`],
    [{ profile: 'there' }, { [H]: HERE }, `profile there → ${THERE}`],
    [{ profile: 'there' }, { [P]: 'here' }, `profile there → ${THERE}`],
    [{ profile: 'none' }, {}, 'exit 2'],
    [{ profile: '../x' }, {}, 'exit 2'],
    [{ profile: '' }, {}, 'exit 2'],
    // the environment, both
    [{}, { [H]: THERE, [T]: 't' }, `environment → ${THERE}`],
    [{}, { [H]: THERE, [F]: 'f' }, `environment → ${THERE}`],
    [{}, { [H]: THERE, [T]: 't', [P]: 'here' }, `environment → ${THERE}`],
    [{}, { [H]: THERE, [T]: 't', [F]: 'f' }, 'exit 2'],
    [{}, { [H]: THERE, [T]: 't', [F]: '' }, `environment → ${THERE}`],
    [{}, { [T]: 't', [F]: 'f' }, 'exit 2'],
    // a token in the environment alone
    [{}, { [T]: 't' }, 'exit 2'],
    [{}, { [F]: 'f' }, 'exit 2'],
    [{}, { [T]: 't', [P]: 'here' }, 'exit 2'],
    [{}, { [T]: 't', [H]: '' }, 'exit 2'],
    // a homeserver in the environment alone
    [{}, { [H]: HERE }, `profile here → ${HERE}`],
    [{}, { [H]: THERE }, 'exit 2'],
    [{}, { [H]: THERE, [P]: 'there' }, `profile there → ${THERE}`],
    [{}, { [H]: HERE, [P]: 'there' }, 'exit 2'],
    [{}, { [H]: HERE, [T]: '', [F]: '' }, `profile here → ${HERE}`],
    // MX2S_PROFILE
    [{}, { [P]: 'there' }, `profile there → ${THERE}`],
    [{}, { [P]: 'none' }, 'exit 2'],
    [{}, { [P]: '' }, `profile here → ${HERE}`],
    // homeservers that are none
    [{ homeserver: 'here.example' }, {}, 'exit 2'],
    [{ homeserver: 'https://user:pw@here.example', accessTokenFile: 'f' }, {}, 'exit 2'],
    [{}, { [H]: 'ftp://here.example', [T]: 't' }, 'exit 2'],
  ];

  it.each(rows)('flags %j, environment %j: %s', (flags, env, expected) => {
    expect(outcome(flags, env)).toBe(expected);
  });

  const withoutToken: [flags: Flags, env: Record<string, string>, expected: string][] = [
    [{}, {}, 'exit 4'],
    [{ homeserver: HERE }, {}, 'exit 4'],
    [{}, { [H]: HERE }, 'exit 4'],
    [{ homeserver: HERE }, { [H]: HERE }, 'exit 4'],
    [{ profile: 'here' }, {}, 'exit 2'],
    [{}, { [P]: 'here' }, 'exit 2'],
    [{ homeserver: HERE }, { [T]: 't' }, 'exit 2'],
  ];

  it.each(withoutToken)('nobody is logged in, flags %j, environment %j: %s', (flags, env, expected) => {
    expect(outcome(flags, env, NO_PROFILES)).toBe(expected);
  });

  it('takes every combination of sources without mixing two of them', () => {
    const flagSets: Flags[] = combinations({
      homeserver: HERE,
      accessTokenFile: 'flag-file',
      profile: 'there',
    });
    const envSets = combinations({
      [H]: 'https://env.example',
      [T]: 'env-token',
      [F]: 'env-file',
      [P]: 'here',
    });
    let accepted = 0;
    for (const flags of flagSets) {
      for (const env of envSets) {
        const result = outcome(flags, env as Record<string, string>);
        if (result.startsWith('exit')) {
          expect(result).toBe('exit 2');
          continue;
        }
        accepted += 1;
        // a stored token goes to its own origin, the environment's to the environment's, the flag's to the flag's
        expect([
          `flag → ${HERE}`,
          `environment → https://env.example`,
          `profile here → ${HERE}`,
          `profile there → ${THERE}`,
        ]).toContain(result);
        if (result.startsWith('flag'))
          expect(flags).toMatchObject({ homeserver: HERE, accessTokenFile: 'flag-file' });
        if (result.startsWith('environment')) expect(env).toHaveProperty(H);
      }
    }
    expect(accepted).toBeGreaterThan(20);
  });
});

describe('what the refusals say', () => {
  const choose = (flags: Flags, env: Record<string, string> = {}): CredentialChoice =>
    chooseCredentials(
      { homeserver: undefined, accessTokenFile: undefined, profile: undefined, ...flags },
      env,
    );

  it('names the profile that fits', () => {
    const choice = choose({ homeserver: THERE });
    expect(() => winner(choice, profiles)).toThrow(UsageError);
    expect(() => winner(choice, profiles)).toThrow(
      expect.objectContaining({ hint: 'use the profile for it: --profile there' }),
    );
  });

  it('names the profiles there are when none is current', () => {
    const choice = choose({});
    const noCurrent = { ...profiles, current: undefined };
    expect(() => winner(choice, noCurrent)).toThrow(NotLoggedInError);
    expect(() => winner(choice, noCurrent)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('here, there') as unknown }),
    );
  });

  it('does not show a URL with user information', () => {
    const attempt = (): unknown =>
      choose({ homeserver: 'https://al:geheim@here.example', accessTokenFile: 'f' });
    expect(attempt).toThrow(InvalidInputError);
    expect(attempt).not.toThrow('geheim');
  });
});

function combinations<T extends object>(all: T): Partial<T>[] {
  return Object.entries(all).reduce<Partial<T>[]>(
    (sets, [key, value]) => sets.flatMap((set) => [set, { ...set, [key]: value as unknown }]),
    [{}],
  );
}
