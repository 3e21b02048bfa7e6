/** `mx2s profiles`: which sessions are stored, and which of them is used where none is named. */
import { unknownProfile } from '../config/credentials.js';
import { parseProfileName, withCurrent, type ProfileName, type Profiles } from '../config/profiles.js';
import { UsageError } from '../errors.js';
import { renderProfile, type ProfileResult } from '../ui/render/profiles.js';
import type { Context } from './context.js';
import { addExamples, define } from './define.js';
import { profileStore } from './session.js';

export interface ProfilesOptions {
  /** The profile to make current; undefined: list them. */
  readonly use: ProfileName | undefined;
}

export const profiles = define<ProfilesOptions>({
  configure: (command) => {
    command
      .usage('[use NAME]')
      .argument('[use]', 'make a profile the current one')
      .argument('[name]', 'its name');
    addExamples(command, ['mx2s profiles', 'mx2s profiles use work', 'mx2s profiles --json']);
  },
  options: ({ args: [verb, name] }) => {
    if (verb === undefined) return { use: undefined };
    if (verb !== 'use')
      throw new UsageError(`unknown command 'profiles ${verb}'`, { hint: 'mx2s profiles use NAME' });
    if (name === undefined) throw new UsageError('no profile was named', { hint: 'mx2s profiles use NAME' });
    return { use: parseProfileName(name) };
  },
  run: (context, { use }) => (use === undefined ? list(context) : makeCurrent(context, use)),
});

async function list(context: Context): Promise<undefined> {
  const stored = await profileStore(context).read();
  if (stored.byName.size === 0) context.talk.notice('no profiles: mx2s login makes one');
  const results = [...stored.byName.keys()].map((name) => resultOf(stored, name));
  for (const result of results) await print(context, result, widest(results));
}

async function makeCurrent(context: Context, name: ProfileName): Promise<undefined> {
  const changed = await profileStore(context).update((stored) => {
    if (!stored.byName.has(name)) throw unknownProfile(name);
    return withCurrent(stored, name);
  }, context.signal);
  await print(context, resultOf(changed, name), name.length);
}

function print({ out }: Context, result: ProfileResult, nameWidth: number): Promise<void> {
  return out.result(result, (palette) => renderProfile(result, palette, nameWidth));
}

function widest(results: readonly ProfileResult[]): number {
  return Math.max(...results.map(({ profile }) => profile.length));
}

/** @throws InvalidInputError when there is no such profile */
function resultOf({ current, byName }: Profiles, name: ProfileName): ProfileResult {
  const profile = byName.get(name);
  if (profile === undefined) throw unknownProfile(name);
  return {
    v: 1,
    profile: name,
    homeserver: profile.homeserver,
    user_id: profile.userId,
    device_id: profile.deviceId,
    current: name === current,
  };
}
